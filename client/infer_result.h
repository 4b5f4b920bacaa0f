// InferResult: the answer to one inference call, with typed views of its
// outputs.

#ifndef CLIENT_INFER_RESULT_H_
#define CLIENT_INFER_RESULT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "client/infer_request.h"

namespace relu {

// One output tensor. Its bytes belong to the InferResult.
struct OutputTensor {
  std::string name;
  std::string datatype;             // "FP32", "INT64", ...
  std::vector<std::int64_t> shape;  // With the batch dimension.
  // Row-major, little-endian, 8-byte aligned, and exactly what the shape wants.
  // BYTES: each element after its length in 4 bytes.
  std::span<const std::byte> bytes;
};

// Movable; immutable, so any number of threads may read it. One that was moved
// from may only be assigned to or destroyed.
class InferResult {
 public:
  struct Storage;  // Holds the server's message.
  explicit InferResult(std::unique_ptr<Storage> storage);
  ~InferResult();
  InferResult(InferResult&&) noexcept;
  InferResult& operator=(InferResult&&) noexcept;

  const std::string& model() const;
  const std::string& version() const;
  const std::string& id() const;
  std::span<const OutputTensor> outputs() const;

  // What the server says beside the outputs: of relud, "relu_clamped" and
  // others of docs/guarantees.md. nullopt: nothing of this name. An answer that
  // was joined of several has relud's counts of rows added up, and no others.
  std::optional<InferParameter> Parameter(std::string_view name) const;

  // NOT_FOUND, naming the outputs there are, if there is none of this name.
  absl::StatusOr<const OutputTensor*> Output(std::string_view name) const;

  // The values of output `name` as T, valid as long as this result.
  // INVALID_ARGUMENT if the output holds another type.
  template <typename T>
  absl::StatusOr<std::span<const T>> Values(std::string_view name) const;

  // The texts of output `name`, of datatype BYTES, as long as this result is
  // there. INVALID_ARGUMENT if the output holds another type.
  absl::StatusOr<std::vector<std::string_view>> Texts(
      std::string_view name) const;

 private:
  // The bytes of output `name`, which must be of `datatype`.
  absl::StatusOr<std::span<const std::byte>> Bytes(
      std::string_view name, std::string_view datatype) const;

  std::unique_ptr<Storage> storage_;
};

template <typename T>
absl::StatusOr<std::span<const T>> InferResult::Values(
    std::string_view name) const {
  const auto bytes = Bytes(name, DatatypeOf<T>());
  if (!bytes.ok()) {
    return bytes.status();
  }
  return std::span<const T>(reinterpret_cast<const T*>(bytes->data()),
                            bytes->size() / sizeof(T));
}

}  // namespace relu

#endif  // CLIENT_INFER_RESULT_H_
