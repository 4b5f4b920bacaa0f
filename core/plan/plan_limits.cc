#include "core/plan/plan_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "absl/status/status.h"

#include "core/graph/graph.h"
#include "core/graph/row_samples.h"
#include "core/plan/storage.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {

std::size_t MaxConstantBytes(const Graph& graph) {
  std::size_t graph_bytes = 0;
  for (const Value& value : graph.values) {
    graph_bytes +=
        value.constant == nullptr ? 0 : value.constant->bytes().size();
  }
  return (std::size_t{32} << 20) + 32 * graph_bytes;
}

std::int64_t BlockRows(std::size_t weight_bytes, std::size_t row_bytes) {
  constexpr std::size_t kSmallWeightBytes = 256 << 10;
  constexpr std::size_t kBlockBytes = 24 << 10;
  constexpr std::size_t kLeastRows = 24;
  constexpr std::size_t kTileRows = 6;  // What kernels take at a time.
  if (weight_bytes > kSmallWeightBytes || row_bytes == 0) {
    return std::numeric_limits<std::int64_t>::max();
  }
  return static_cast<std::int64_t>(
      std::max(kBlockBytes / row_bytes / kTileRows * kTileRows, kLeastRows));
}

absl::Status CheckRowSize(const Value& value) {
  if (!value.is_batched()) {
    return absl::UnimplementedError(
        fmt::format("value \"{}\", shape {}, is the same for all rows; only "
                    "values with the batch dimension first are supported",
                    value.name, ShapeText(value.shape)));
  }
  const std::optional<std::int64_t> count = ElementCount(RowShape(value));
  const std::size_t most = kMaxWorkspaceRowBytes / DataTypeSize(value.type);
  if (!count.has_value() || static_cast<std::size_t>(*count) > most) {
    return absl::UnimplementedError(fmt::format(
        "value \"{}\", shape {}: a row has more than {} elements, the most "
        "that is supported",
        value.name, ShapeText(value.shape), most));
  }
  return absl::OkStatus();
}

absl::Status CheckProduct(const Graph& graph, const Node& node) {
  if (node.op != Operator::kGemm && node.op != Operator::kMatMul &&
      node.op != Operator::kMatMulInteger &&
      node.op != Operator::kQLinearMatMul) {
    return absl::OkStatus();
  }
  const Shape left =
      WithRows(graph.values[node.inputs[0]].shape, kInterpretedRows);
  const bool is_transposed =
      node.op == Operator::kGemm && IntAttribute(node, "transA") != 0;
  Shape sizes = WithRows(graph.values[node.outputs[0]].shape, kInterpretedRows);
  sizes.push_back(is_transposed ? left[0] : left.back());
  const std::optional<std::int64_t> products = ElementCount(sizes);
  if (!products || *products > kMaxInterpretedProducts) {
    return absl::UnimplementedError(fmt::format(
        "{}: takes more than {} multiplications for {} rows, the most that is "
        "supported for a product without a kernel of its own; export it as x "
        "* constant weights",
        NodeText(node), kMaxInterpretedProducts, kInterpretedRows));
  }
  return absl::OkStatus();
}

bool TakeRoom(const Value& value, std::size_t& room_bytes) {
  const std::optional<std::int64_t> count =
      ElementCount(WithRows(value.shape, kInterpretedRows));
  if (!count ||
      static_cast<std::size_t>(*count) > room_bytes / sizeof(double)) {
    return false;
  }
  room_bytes -= static_cast<std::size_t>(*count) * sizeof(double);
  return true;
}

}  // namespace relu
