#include "client/infer_result.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/infer_result_storage.h"
#include "core/base/status_macros.h"
#include "fmt/format.h"

namespace relu {

InferResult::InferResult(std::unique_ptr<Storage> storage)
    : storage_(std::move(storage)) {}
InferResult::~InferResult() = default;
InferResult::InferResult(InferResult&&) noexcept = default;
InferResult& InferResult::operator=(InferResult&&) noexcept = default;

const std::string& InferResult::model() const {
  return storage_->message->model_name();
}

const std::string& InferResult::version() const {
  return storage_->message->model_version();
}

const std::string& InferResult::id() const { return storage_->message->id(); }

std::span<const OutputTensor> InferResult::outputs() const {
  return storage_->outputs;
}

absl::StatusOr<const OutputTensor*> InferResult::Output(
    std::string_view name) const {
  std::string names;
  for (const OutputTensor& output : storage_->outputs) {
    if (output.name == name) {
      return &output;
    }
    names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", output.name);
  }
  return absl::NotFoundError(
      fmt::format("output \"{}\": the answer of model \"{}\" has {}", name,
                  model(), names.empty() ? "no outputs" : names));
}

absl::StatusOr<std::span<const std::byte>> InferResult::Bytes(
    std::string_view name, std::string_view datatype) const {
  ASSIGN_OR_RETURN(const OutputTensor* const output, Output(name));
  if (output->datatype != datatype) {
    return absl::InvalidArgumentError(
        fmt::format("output \"{}\": holds {}, the caller wants {}", name,
                    output->datatype, datatype));
  }
  return output->bytes;
}

}  // namespace relu
