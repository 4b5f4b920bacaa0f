#include "core/plan/gather_step.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/graph.h"
#include "core/plan/index_table.h"
#include "core/plan/plan_builder.h"
#include "core/plan/rearrange_step.h"
#include "core/plan/step.h"
#include "core/plan/storage.h"
#include "core/plan/workspace.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

struct EmbeddingBuffers {
  std::size_t indices_per_row = 0;
  std::size_t indices = 0;
  std::size_t output = 0;
};

// Index is std::int32_t or std::int64_t.
template <typename Index>
class EmbeddingStep : public Step {
 public:
  EmbeddingStep(const Node& node, Tensor table, const EmbeddingBuffers& buffers)
      : table_(std::move(table)),
        entries_(table_.shape()[0]),
        entry_bytes_(table_.bytes().size() /
                     static_cast<std::size_t>(entries_)),
        buffers_(buffers),
        out_of_range_(
            fmt::format("{}: an index is outside of the table, which has {} "
                        "entries",
                        NodeText(node), entries_)) {}

  void Run(RowRange rows, Workspace& workspace) const override {
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const Index* indices = workspace.Row<const Index>(buffers_.indices, row);
      auto* output = workspace.Row<std::byte>(buffers_.output, row);
      for (std::size_t i = 0; i < buffers_.indices_per_row; ++i) {
        std::int64_t index = indices[i];
        if (index < 0) {
          index += entries_;
        }
        if (index < 0 || index >= entries_) {
          workspace.SetFault(row, out_of_range_);
          index = 0;
        }
        std::memcpy(output + i * entry_bytes_,
                    table_.bytes().data() +
                        static_cast<std::size_t>(index) * entry_bytes_,
                    entry_bytes_);
      }
    }
  }

  std::string Describe() const override {
    return fmt::format("embedding {} of {} entries of {} bytes",
                       buffers_.indices_per_row, entries_, entry_bytes_);
  }

  std::size_t constant_bytes() const override { return table_.bytes().size(); }

 private:
  Tensor table_;
  std::int64_t entries_;
  std::size_t entry_bytes_;
  EmbeddingBuffers buffers_;
  std::string out_of_range_;
};

absl::Status LowerEmbedding(const Node& node, PlanBuilder& plan) {
  const Tensor& table = *plan.value(node.inputs[0]).constant;
  const Value& indices = plan.value(node.inputs[1]);
  if (IntAttribute(node, "axis") != 0) {
    return absl::UnimplementedError(
        fmt::format("{}: axis is {}; a constant table must be indexed by its "
                    "first axis (0)",
                    NodeText(node), IntAttribute(node, "axis")));
  }
  if (table.shape()[0] == 0) {
    return absl::InvalidArgumentError(
        fmt::format("{}: the table has shape {}, wanted is at least one entry",
                    NodeText(node), ShapeText(table.shape())));
  }
  const std::size_t input = plan.BufferOf(node.inputs[1]);
  const std::size_t output = plan.Define(node.outputs[0]);
  const EmbeddingBuffers buffers{.indices_per_row = RowElements(indices),
                                 .indices = input,
                                 .output = output};
  if (indices.type == DataType::kInt32) {
    plan.AddStep(std::make_unique<EmbeddingStep<std::int32_t>>(
                     node, ToStorage(table), buffers),
                 {input, output});
  } else {
    plan.AddStep(std::make_unique<EmbeddingStep<std::int64_t>>(
                     node, ToStorage(table), buffers),
                 {input, output});
  }
  return absl::OkStatus();
}

// The constant indices, counted from the front.
absl::StatusOr<std::vector<std::int64_t>> ReadPositions(const Node& node,
                                                        const Tensor& indices,
                                                        std::int64_t size) {
  std::vector<std::int64_t> positions;
  if (indices.type() == DataType::kInt32) {
    const auto values = indices.As<std::int32_t>();
    positions.assign(values.begin(), values.end());
  } else {
    const auto values = indices.As<std::int64_t>();
    positions.assign(values.begin(), values.end());
  }
  for (std::int64_t& position : positions) {
    if (position < -size || position >= size) {
      return absl::InvalidArgumentError(
          fmt::format("{}: index {} is outside of a dimension of {}",
                      NodeText(node), position, size));
    }
    position += position < 0 ? size : 0;
  }
  return positions;
}

absl::Status LowerSelection(const Node& node, PlanBuilder& plan) {
  const Value& value = plan.value(node.inputs[0]);
  const AxisSplit split = SplitRow(value, IntAttribute(node, "axis"));
  ASSIGN_OR_RETURN(const std::vector<std::int64_t> positions,
                   ReadPositions(node, *plan.value(node.inputs[1]).constant,
                                 static_cast<std::int64_t>(split.size)));
  IndexTable table = SelectionTable({.outer = split.outer,
                                     .size = split.size,
                                     .inner = split.inner,
                                     .positions = positions});
  plan.Place(node.outputs[0],
             Rearrange({.name = "select",
                        .source = plan.BufferOf(node.inputs[0]),
                        .element_bytes = DataTypeSize(StorageType(value.type)),
                        .table = std::move(table)},
                       plan));
  return absl::OkStatus();
}

}  // namespace

absl::Status LowerGather(const Node& node, PlanBuilder& plan) {
  const Value& source = plan.value(node.inputs[0]);
  const Value& indices = plan.value(node.inputs[1]);
  if (source.constant != nullptr) {
    return LowerEmbedding(node, plan);
  }
  if (indices.constant != nullptr) {
    return LowerSelection(node, plan);
  }
  return absl::UnimplementedError(
      fmt::format("{}: both \"{}\" and the indices \"{}\" are computed; one of "
                  "them must be "
                  "a constant",
                  NodeText(node), source.name, indices.name));
}

}  // namespace relu
