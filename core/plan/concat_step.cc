#include "core/plan/concat_step.h"

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
#include "core/plan/operand.h"
#include "core/plan/plan_builder.h"
#include "core/plan/step.h"
#include "core/plan/storage.h"
#include "core/plan/workspace.h"

namespace relu {
namespace {

// One input of the concatenation.
struct Part {
  Operand source;
  std::size_t chunk_bytes = 0;   // What it gives for each outer position.
  std::size_t offset_bytes = 0;  // Where in the output's chunk.
};

class ConcatStep : public Step {
 public:
  // A row of the output has `outer` chunks of `chunk_bytes`.
  ConcatStep(std::vector<Part> parts, std::size_t outer,
             std::size_t chunk_bytes, std::size_t output)
      : parts_(std::move(parts)),
        outer_(outer),
        chunk_bytes_(chunk_bytes),
        output_(output) {}

  void Run(RowRange rows, Workspace& workspace) const override {
    for (const Part& part : parts_) {
      for (std::int64_t row = rows.begin; row < rows.end; ++row) {
        const auto* source = part.source.Row<std::byte>(workspace, row);
        std::byte* target =
            workspace.Row<std::byte>(output_, row) + part.offset_bytes;
        for (std::size_t i = 0; i < outer_; ++i) {
          std::memcpy(target + i * chunk_bytes_, source + i * part.chunk_bytes,
                      part.chunk_bytes);
        }
      }
    }
  }

  std::string Describe() const override {
    return fmt::format("concat {} parts to {} bytes", parts_.size(),
                       outer_ * chunk_bytes_);
  }

  std::size_t constant_bytes() const override {
    std::size_t total_bytes = 0;
    for (const Part& part : parts_) {
      total_bytes += part.source.constant.has_value()
                         ? part.source.constant->bytes().size()
                         : 0;
    }
    return total_bytes;
  }

 private:
  std::vector<Part> parts_;
  std::size_t outer_;
  std::size_t chunk_bytes_;
  std::size_t output_;
};

// An input as it lies in one row: a constant goes into every row.
Value RowPart(const Node& node, std::size_t index, const PlanBuilder& plan) {
  const Value& value = plan.value(node.inputs[index]);
  Value part = value;
  if (!value.is_batched()) {
    const Value& result = plan.value(node.outputs[0]);
    const auto axis = static_cast<std::size_t>(IntAttribute(node, "axis"));
    part.shape = result.shape;
    part.shape[axis] = value.shape[axis];
  }
  return part;
}

}  // namespace

void ReserveParts(const Node& node, PlanBuilder& plan) {
  const Value& result = plan.value(node.outputs[0]);
  const AxisSplit split = SplitRow(result, IntAttribute(node, "axis"));
  if (split.outer != 1 || RowElements(result) == 0) {
    return;
  }
  if (!plan.IsReserved(node.outputs[0])) {
    plan.Reserve(node.outputs[0], plan.AddBuffer(RowBytes(result)),
                 /*column_bytes=*/0);
  }
  const std::size_t whole = plan.ReservedBuffer(node.outputs[0]);
  std::size_t column_bytes = 0;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId input = node.inputs[i];
    const std::size_t part_bytes = RowBytes(RowPart(node, i, plan));
    if (plan.value(input).is_batched() && part_bytes > 0 &&
        !plan.IsReserved(input)) {
      plan.Reserve(input, whole, column_bytes);
    }
    column_bytes += part_bytes;
  }
}

absl::Status LowerConcat(const Node& node, PlanBuilder& plan) {
  const Value& result = plan.value(node.outputs[0]);
  const AxisSplit split = SplitRow(result, IntAttribute(node, "axis"));
  const std::size_t output = plan.Define(node.outputs[0]);
  std::vector<Part> parts;
  std::vector<std::size_t> buffers{output};
  std::size_t offset_bytes = 0;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Value shape = RowPart(node, i, plan);
    const std::size_t part_bytes = RowBytes(shape);
    if (part_bytes == 0) {
      continue;  // Has no memory to copy from.
    }
    ASSIGN_OR_RETURN(Operand source, MakeOperand(node, i, shape, plan));
    const bool is_computed = !source.constant.has_value();
    if (!is_computed || split.outer != 1 ||
        !plan.IsColumns(source.buffer, output, offset_bytes)) {
      if (is_computed) {
        buffers.push_back(source.buffer);
      }
      parts.push_back({.source = std::move(source),
                       .chunk_bytes = part_bytes / split.outer,
                       .offset_bytes = offset_bytes});
    }
    offset_bytes += part_bytes / split.outer;
  }
  if (!parts.empty()) {
    plan.AddStep(
        std::make_unique<ConcatStep>(std::move(parts), split.outer,
                                     RowBytes(result) / split.outer, output),
        buffers);
  }
  return absl::OkStatus();
}

}  // namespace relu
