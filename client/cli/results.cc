#include "client/cli/results.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/inference_client.h"
#include "core/base/status_macros.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"

namespace relu {
namespace {

absl::Status Unusable(const OutputTensor& output, std::string_view why) {
  return absl::InternalError(
      fmt::format("output \"{}\" of datatype {} and shape {}: {}", output.name,
                  output.datatype, ShapeText(output.shape), why));
}

// The form of `output`, without its values.
absl::StatusOr<ResultTensor> FormOf(const OutputTensor& output,
                                    std::int64_t request_rows) {
  const auto type = ParseDataType(output.datatype);
  if (!type.has_value()) {
    return Unusable(output, "reluctl shows numbers only");
  }
  if (output.shape.empty() || output.shape[0] != request_rows) {
    return Unusable(
        output, fmt::format("it has no row for each of the {} rows that were "
                            "sent; more or less with --batch may help",
                            request_rows));
  }
  ResultTensor tensor{
      .name = output.name,
      .type = *type,
      .row_shape = {output.shape.begin() + 1, output.shape.end()},
      .row_elements = 0,
      .bytes = {}};
  const auto elements = ElementCount(tensor.row_shape);
  if (!elements.has_value()) {
    return Unusable(output, "a row is too large");
  }
  tensor.row_elements = *elements;
  return tensor;
}

}  // namespace

const std::byte* ResultTensor::Element(std::int64_t row, std::int64_t k) const {
  return bytes.data() +
         static_cast<std::size_t>(row * row_elements + k) * DataTypeSize(type);
}

absl::Status Results::Append(const InferResult& answer,
                             std::int64_t request_rows) {
  const bool first = rows == 0;
  if (first) {
    model = answer.model();
    version = answer.version();
  } else if (answer.outputs().size() != outputs.size()) {
    return absl::InternalError(
        fmt::format("{} outputs, the answer before had {}",
                    answer.outputs().size(), outputs.size()));
  }
  for (std::size_t i = 0; i < answer.outputs().size(); ++i) {
    const OutputTensor& output = answer.outputs()[i];
    ASSIGN_OR_RETURN(ResultTensor form, FormOf(output, request_rows));
    if (first) {
      outputs.push_back(std::move(form));
    } else if (form.name != outputs[i].name || form.type != outputs[i].type ||
               form.row_shape != outputs[i].row_shape) {
      return Unusable(output, "the answer before had another form");
    }
    outputs[i].bytes.insert(outputs[i].bytes.end(), output.bytes.begin(),
                            output.bytes.end());
  }
  rows += request_rows;
  return absl::OkStatus();
}

}  // namespace relu
