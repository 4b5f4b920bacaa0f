#include "client/cli/rows.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/inference_client.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"

namespace relu {
namespace {

absl::Status Unsendable(const TensorMetadata& tensor, std::string_view why) {
  return absl::InvalidArgumentError(
      fmt::format("input \"{}\" of datatype {} and shape {}: {}", tensor.name,
                  tensor.datatype, ShapeText(tensor.shape), why));
}

absl::StatusOr<ModelInput> InputOf(const TensorMetadata& tensor) {
  const auto type = ParseDataType(tensor.datatype);
  if (!type.has_value()) {
    return Unsendable(tensor, "reluctl sends numbers only");
  }
  if (tensor.shape.empty()) {
    return Unsendable(tensor, "there is no batch dimension for rows");
  }
  ModelInput input{.name = tensor.name,
                   .type = *type,
                   .row_shape = {tensor.shape.begin() + 1, tensor.shape.end()},
                   .row_elements = std::nullopt};
  const bool variable = std::ranges::any_of(
      input.row_shape, [](std::int64_t size) { return size < 0; });
  if (!variable) {
    input.row_elements = ElementCount(input.row_shape);
    if (!input.row_elements.has_value()) {
      return Unsendable(tensor, "a row is too large");
    }
  }
  return input;
}

}  // namespace

absl::StatusOr<ModelInputs> InputsOf(const ModelMetadata& metadata) {
  ModelInputs result;
  for (const TensorMetadata& tensor : metadata.inputs) {
    ASSIGN_OR_RETURN(ModelInput input, InputOf(tensor));
    result.inputs.push_back(std::move(input));
    const std::int64_t batch_rows = tensor.shape[0];
    if (batch_rows < 0) {
      continue;
    }
    if (batch_rows == 0 ||
        result.fixed_batch_rows.value_or(batch_rows) != batch_rows) {
      return Unsendable(tensor, "the inputs have no batch dimension in common");
    }
    result.fixed_batch_rows = batch_rows;
  }
  if (result.inputs.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("model \"{}\": it has no inputs", metadata.name));
  }
  return result;
}

absl::StatusOr<const ModelInput*> FindInput(const ModelInputs& inputs,
                                            std::string_view name) {
  std::string names;
  for (const ModelInput& input : inputs.inputs) {
    if (input.name == name) {
      return &input;
    }
    names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", input.name);
  }
  return absl::InvalidArgumentError(
      fmt::format("input \"{}\": the model has {}", name, names));
}

absl::StatusOr<std::int64_t> FixedRowElements(const ModelInput& input) {
  if (!input.row_elements.has_value()) {
    return absl::InvalidArgumentError(fmt::format(
        "input \"{}\": the shape {} of a row is not fixed; give a .npy file or "
        "a JSON request with shapes",
        input.name, ShapeText(input.row_shape)));
  }
  return *input.row_elements;
}

std::span<const std::byte> RowTensor::RowBytes(std::int64_t first,
                                               std::int64_t count) const {
  const auto elements = ElementCount(row_shape);
  CHECK(elements.has_value());
  const std::size_t row_bytes =
      static_cast<std::size_t>(*elements) * DataTypeSize(type);
  return std::span(bytes).subspan(static_cast<std::size_t>(first) * row_bytes,
                                  static_cast<std::size_t>(count) * row_bytes);
}

Shape RowTensor::ShapeOf(std::int64_t count) const {
  Shape shape{count};
  shape.insert(shape.end(), row_shape.begin(), row_shape.end());
  return shape;
}

absl::StatusOr<Rows> EmptyRows(const ModelInputs& inputs) {
  Rows rows;
  for (const ModelInput& input : inputs.inputs) {
    RETURN_IF_ERROR(FixedRowElements(input).status());
    rows.inputs.push_back({.name = input.name,
                           .type = input.type,
                           .row_shape = input.row_shape,
                           .bytes = {}});
  }
  return rows;
}

}  // namespace relu
