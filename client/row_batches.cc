#include "client/row_batches.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/infer_message.h"
#include "client/infer_request.h"
#include "client/infer_result.h"
#include "client/wire_datatype.h"
#include "core/base/status_macros.h"
#include "fmt/format.h"
#include "fmt/ranges.h"
#include "proto/inference.pb.h"

namespace relu {
namespace {

absl::Status CannotSplit(const InferRequest::Input& input,
                         std::string_view why) {
  return absl::InvalidArgumentError(
      fmt::format("input \"{}\" of datatype {} and shape [{}]: {}", input.name,
                  input.datatype, fmt::join(input.shape, ","), why));
}

// The rows that all inputs have, or 0 if there are no inputs.
absl::StatusOr<std::int64_t> CountRows(const InferRequest& request) {
  std::int64_t rows = 0;
  for (const InferRequest::Input& input : request.inputs()) {
    if (input.shape.empty() || input.shape[0] < 1) {
      return CannotSplit(input, "it has no rows to split");
    }
    if (rows != 0 && input.shape[0] != rows) {
      return CannotSplit(input, fmt::format("another input has {} rows", rows));
    }
    rows = input.shape[0];
    const auto element_bytes = WireElementSize(input.datatype);
    const auto elements = WireElementCount(input.shape);
    if (element_bytes.value_or(0) == 0 || !elements.has_value() ||
        static_cast<std::size_t>(*elements) * *element_bytes !=
            input.bytes.size()) {
      return CannotSplit(
          input, fmt::format("its {} bytes are not rows of a fixed size",
                             input.bytes.size()));
    }
  }
  return rows;
}

InferRequest Part(const InferRequest& request, std::int64_t rows,
                  std::int64_t first, std::int64_t count) {
  InferRequest part(request.model(), request.version());
  part.SetId(request.id());
  for (const InferRequest::Input& input : request.inputs()) {
    const std::size_t row_bytes =
        input.bytes.size() / static_cast<std::size_t>(rows);
    std::vector<std::int64_t> shape = input.shape;
    shape[0] = count;
    part.AddRawInput(
        input.name, input.datatype, shape,
        input.bytes.subspan(static_cast<std::size_t>(first) * row_bytes,
                            static_cast<std::size_t>(count) * row_bytes));
  }
  for (const std::string& output : request.outputs()) {
    part.AddOutput(output);
  }
  for (const auto& [name, value] : request.parameters()) {
    part.SetParameter(name, value);
  }
  return part;
}

// Adds the rows of output `index` of `result` to `tensor` and `bytes`.
absl::Status AppendRows(
    const InferResult& result, int index, std::int64_t rows,
    inference::ModelInferResponse::InferOutputTensor& tensor,
    std::string& bytes) {
  const OutputTensor& output =
      result.outputs()[static_cast<std::size_t>(index)];
  const bool same_row =
      output.shape.size() == static_cast<std::size_t>(tensor.shape_size()) &&
      !output.shape.empty() && output.shape[0] == rows &&
      std::equal(output.shape.begin() + 1, output.shape.end(),
                 tensor.shape().begin() + 1);
  if (output.name != tensor.name() || output.datatype != tensor.datatype() ||
      !same_row) {
    return absl::InternalError(fmt::format(
        "output \"{}\" of datatype {} and shape [{}]: {} rows like those "
        "before are wanted",
        output.name, output.datatype, fmt::join(output.shape, ","), rows));
  }
  bytes.append(reinterpret_cast<const char*>(output.bytes.data()),
               output.bytes.size());
  return absl::OkStatus();
}

// A message with the outputs of `first`, and no contents.
std::unique_ptr<inference::ModelInferResponse> Begin(const InferResult& first,
                                                     std::int64_t rows) {
  auto message = std::make_unique<inference::ModelInferResponse>();
  message->set_model_name(first.model());
  message->set_model_version(first.version());
  message->set_id(first.id());
  for (const OutputTensor& output : first.outputs()) {
    auto& tensor = *message->add_outputs();
    tensor.set_name(output.name);
    tensor.set_datatype(output.datatype);
    tensor.mutable_shape()->Add(output.shape.begin(), output.shape.end());
    if (tensor.shape_size() > 0) {
      tensor.set_shape(0, rows);
    }
    message->add_raw_output_contents();
  }
  return message;
}

// What the server says of rows: how many, in all.
void AddParameters(const InferResult& result,
                   inference::ModelInferResponse& message) {
  for (const char* name :
       {"relu_nonfinite_input_rows", "relu_nonfinite_output_rows",
        "relu_out_of_domain_rows"}) {
    const std::optional<InferParameter> rows = result.Parameter(name);
    if (rows.has_value() && std::holds_alternative<std::int64_t>(*rows)) {
      auto& sum = (*message.mutable_parameters())[name];
      sum.set_int64_param(sum.int64_param() + std::get<std::int64_t>(*rows));
    }
  }
  if (result.Parameter("relu_clamped") == InferParameter(true)) {
    (*message.mutable_parameters())["relu_clamped"].set_bool_param(true);
  }
}

}  // namespace

absl::StatusOr<std::vector<InferRequest>> SplitRows(const InferRequest& request,
                                                    std::int64_t max_rows) {
  if (max_rows < 1) {
    return absl::InvalidArgumentError(
        fmt::format("rows of a request: {}, at least 1 is wanted", max_rows));
  }
  ASSIGN_OR_RETURN(const std::int64_t rows, CountRows(request));
  std::vector<InferRequest> parts;
  for (std::int64_t first = 0; first < rows; first += max_rows) {
    parts.push_back(
        Part(request, rows, first, std::min(max_rows, rows - first)));
  }
  return parts;
}

absl::StatusOr<InferResult> JoinRows(const std::vector<InferResult>& results,
                                     const std::vector<std::int64_t>& rows) {
  auto message = Begin(
      results[0], std::accumulate(rows.begin(), rows.end(), std::int64_t{0}));
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i].outputs().size() != results[0].outputs().size()) {
      return absl::InternalError(fmt::format("{} outputs, those before have {}",
                                             results[i].outputs().size(),
                                             results[0].outputs().size()));
    }
    AddParameters(results[i], *message);
    for (int k = 0; k < message->outputs_size(); ++k) {
      RETURN_IF_ERROR(AppendRows(results[i], k, rows[i],
                                 *message->mutable_outputs(k),
                                 *message->mutable_raw_output_contents(k)));
    }
  }
  return FromMessage(std::move(message));
}

}  // namespace relu
