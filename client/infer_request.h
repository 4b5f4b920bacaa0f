// InferRequest: the tensors of one inference call.

#ifndef CLIENT_INFER_REQUEST_H_
#define CLIENT_INFER_REQUEST_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace relu {

// A named value beside a request, such as "priority" or "timeout".
using InferParameter =
    std::variant<bool, std::int64_t, std::uint64_t, double, std::string>;

// A value type; thread-compatible. Borrows tensors that are given as spans:
// they must stay alive and unchanged until the call that sends the request
// returns (that of an asynchronous call: it has copied them). Takes over those
// that are given as vectors and texts: these are sent without a copy.
class InferRequest {
 public:
  // `version` empty: the latest.
  explicit InferRequest(std::string_view model, std::string_view version = "");

  // Adds an input tensor of the element type of `values`, row-major.
  // `shape` counts the batch dimension. T is one of float, double, bool,
  // std::{u,}int{8,16,32,64}_t. The server checks it against the model.
  template <typename T>
  InferRequest& AddInput(std::string_view name,
                         std::span<const std::int64_t> shape,
                         std::span<const T> values);

  template <typename T>
  InferRequest& AddInput(std::string_view name,
                         std::span<const std::int64_t> shape,
                         std::vector<T>&& values);

  // The same from bytes, for any datatype ("FP16", ...): row-major,
  // little-endian.
  InferRequest& AddRawInput(std::string_view name, std::string_view datatype,
                            std::span<const std::int64_t> shape,
                            std::span<const std::byte> bytes);
  InferRequest& AddRawInput(std::string_view name, std::string_view datatype,
                            std::span<const std::int64_t> shape,
                            std::string&& bytes);

  // A tensor of datatype BYTES: one text for each element.
  InferRequest& AddTextInput(std::string_view name,
                             std::span<const std::int64_t> shape,
                             std::span<const std::string> texts);

  // Asks for this output only; call again for more. None: all outputs.
  InferRequest& AddOutput(std::string_view name);

  // Echoed in the answer.
  InferRequest& SetId(std::string_view id);

  // What the server makes of it is the server's business: "priority" and
  // "timeout" (in microseconds) are usual.
  InferRequest& SetParameter(std::string_view name, InferParameter value);

  struct Input {
    std::string name;
    std::string datatype;
    std::vector<std::int64_t> shape;
    std::span<const std::byte> bytes;   // The caller's, or those of `owner`.
    std::shared_ptr<const void> owner;  // nullptr: they are the caller's.
  };

  const std::string& model() const { return model_; }
  const std::string& version() const { return version_; }
  const std::string& id() const { return id_; }
  std::span<const Input> inputs() const { return inputs_; }
  std::span<const std::string> outputs() const { return outputs_; }
  std::span<const std::pair<std::string, InferParameter>> parameters() const {
    return parameters_;
  }

 private:
  InferRequest& AddOwned(std::string_view name, std::string_view datatype,
                         std::span<const std::int64_t> shape,
                         std::span<const std::byte> bytes,
                         std::shared_ptr<const void> owner);

  std::string model_;
  std::string version_;
  std::string id_;
  std::vector<Input> inputs_;
  std::vector<std::string> outputs_;
  std::vector<std::pair<std::string, InferParameter>> parameters_;
};

// The V2 name of T: "FP32" for float, ... Only the types above exist.
template <typename T>
constexpr std::string_view DatatypeOf() = delete;
template <>
constexpr std::string_view DatatypeOf<float>() {
  return "FP32";
}
template <>
constexpr std::string_view DatatypeOf<double>() {
  return "FP64";
}
template <>
constexpr std::string_view DatatypeOf<bool>() {
  return "BOOL";
}
template <>
constexpr std::string_view DatatypeOf<std::int8_t>() {
  return "INT8";
}
template <>
constexpr std::string_view DatatypeOf<std::int16_t>() {
  return "INT16";
}
template <>
constexpr std::string_view DatatypeOf<std::int32_t>() {
  return "INT32";
}
template <>
constexpr std::string_view DatatypeOf<std::int64_t>() {
  return "INT64";
}
template <>
constexpr std::string_view DatatypeOf<std::uint8_t>() {
  return "UINT8";
}
template <>
constexpr std::string_view DatatypeOf<std::uint16_t>() {
  return "UINT16";
}
template <>
constexpr std::string_view DatatypeOf<std::uint32_t>() {
  return "UINT32";
}
template <>
constexpr std::string_view DatatypeOf<std::uint64_t>() {
  return "UINT64";
}

template <typename T>
InferRequest& InferRequest::AddInput(std::string_view name,
                                     std::span<const std::int64_t> shape,
                                     std::span<const T> values) {
  return AddRawInput(name, DatatypeOf<T>(), shape, std::as_bytes(values));
}

template <typename T>
InferRequest& InferRequest::AddInput(std::string_view name,
                                     std::span<const std::int64_t> shape,
                                     std::vector<T>&& values) {
  auto owner = std::make_shared<const std::vector<T>>(std::move(values));
  const auto bytes = std::as_bytes(std::span<const T>(*owner));
  return AddOwned(name, DatatypeOf<T>(), shape, bytes, std::move(owner));
}

}  // namespace relu

#endif  // CLIENT_INFER_REQUEST_H_
