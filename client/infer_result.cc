#include "client/infer_result.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/infer_result_storage.h"
#include "client/wire_datatype.h"
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

std::optional<InferParameter> InferResult::Parameter(
    std::string_view name) const {
  const auto& parameters = storage_->message->parameters();
  const auto found = parameters.find(std::string(name));
  if (found == parameters.end()) {
    return std::nullopt;
  }
  const inference::InferParameter& parameter = found->second;
  switch (parameter.parameter_choice_case()) {
    case inference::InferParameter::kBoolParam:
      return parameter.bool_param();
    case inference::InferParameter::kInt64Param:
      return std::int64_t{parameter.int64_param()};
    case inference::InferParameter::kUint64Param:
      return std::uint64_t{parameter.uint64_param()};
    case inference::InferParameter::kDoubleParam:
      return parameter.double_param();
    case inference::InferParameter::kStringParam:
      return parameter.string_param();
    case inference::InferParameter::PARAMETER_CHOICE_NOT_SET:
      break;
  }
  return std::nullopt;
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

absl::StatusOr<std::vector<std::string_view>> InferResult::Texts(
    std::string_view name) const {
  ASSIGN_OR_RETURN(const auto bytes, Bytes(name, kBytesDatatype));
  std::string_view rest(reinterpret_cast<const char*>(bytes.data()),
                        bytes.size());
  std::vector<std::string_view> texts;
  while (!rest.empty()) {
    // Checked when the answer came: sizes and texts fill the bytes.
    std::uint32_t size_bytes = 0;
    std::memcpy(&size_bytes, rest.data(), sizeof(size_bytes));
    texts.push_back(rest.substr(sizeof(size_bytes), size_bytes));
    rest.remove_prefix(sizeof(size_bytes) + size_bytes);
  }
  return texts;
}

}  // namespace relu
