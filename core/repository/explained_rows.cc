#include "core/repository/explained_rows.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"

#include "core/base/status_macros.h"
#include "core/batching/inference_request.h"
#include "core/graph/elements.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

// Where the elements of `input` are in row `row`.
std::span<double> PlaceInRow(const PiecewiseNetwork& network,
                             const NetworkInput& input, std::int64_t row,
                             InputRows& rows) {
  return std::span(rows.elements)
      .subspan(static_cast<std::size_t>(row) * network.input_elements +
                   input.first_element,
               input.elements);
}

// What a client of ModelInfer would send for `input`.
Tensor TensorOf(const PiecewiseNetwork& network, const NetworkInput& input,
                InputRows& rows) {
  std::vector<double> values;
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    const std::span<double> place = PlaceInRow(network, input, row, rows);
    values.insert(values.end(), place.begin(), place.end());
  }
  return FromDoubles(input.type,
                     {rows.rows, static_cast<std::int64_t>(input.elements)},
                     values);
}

void ReadBack(const PiecewiseNetwork& network, const NetworkInput& input,
              const std::vector<std::byte>& bytes, InputRows& rows) {
  Tensor tensor(input.type,
                {rows.rows, static_cast<std::int64_t>(input.elements)});
  std::ranges::copy(bytes, tensor.bytes().begin());
  const std::vector<double> values = ToDoubles(tensor);
  auto from = values.begin();
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    const std::span<double> place = PlaceInRow(network, input, row, rows);
    std::copy_n(from, place.size(), place.begin());
    from += static_cast<std::ptrdiff_t>(place.size());
  }
}

}  // namespace

absl::Status CheckExplainedRows(const ModelGuarantees& guarantees,
                                const PiecewiseNetwork& network,
                                InputRows& rows, GuaranteeFindings& findings) {
  if (!guarantees.HasDomain()) {
    return absl::OkStatus();
  }
  InferenceRequest request;
  request.rows = rows.rows;
  std::vector<std::vector<std::byte>> values(network.inputs.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Tensor tensor = TensorOf(network, network.inputs[i], rows);
    values[i].assign(tensor.bytes().begin(), tensor.bytes().end());
    request.inputs.push_back(values[i].data());
  }
  RETURN_IF_ERROR(guarantees.CheckDomain(
      request, values, findings, ModelGuarantees::Counting::kUncounted));
  if (findings.clamped) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      ReadBack(network, network.inputs[i], values[i], rows);
    }
  }
  return absl::OkStatus();
}

}  // namespace relu
