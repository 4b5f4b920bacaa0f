// InferRequest: the tensors of one inference call.

#ifndef CLIENT_INFER_REQUEST_H_
#define CLIENT_INFER_REQUEST_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace relu {

// A value type; thread-compatible. Borrows the tensor data: it must stay alive
// and unchanged until the call that sends the request returns.
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

  // The same from bytes, for any datatype ("FP16", ...): row-major,
  // little-endian.
  InferRequest& AddRawInput(std::string_view name, std::string_view datatype,
                            std::span<const std::int64_t> shape,
                            std::span<const std::byte> bytes);

  // Asks for this output only; call again for more. None: all outputs.
  InferRequest& AddOutput(std::string_view name);

  // Echoed in the answer.
  InferRequest& SetId(std::string_view id);

  struct Input {
    std::string name;
    std::string datatype;
    std::vector<std::int64_t> shape;
    std::span<const std::byte> bytes;  // Borrowed from the caller.
  };

  const std::string& model() const { return model_; }
  const std::string& version() const { return version_; }
  const std::string& id() const { return id_; }
  std::span<const Input> inputs() const { return inputs_; }
  std::span<const std::string> outputs() const { return outputs_; }

 private:
  std::string model_;
  std::string version_;
  std::string id_;
  std::vector<Input> inputs_;
  std::vector<std::string> outputs_;
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

}  // namespace relu

#endif  // CLIENT_INFER_REQUEST_H_
