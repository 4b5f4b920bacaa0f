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

#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"
#include "core/plan/step.h"
#include "core/plan/storage.h"
#include "core/plan/workspace.h"

namespace relu {
namespace {

// One input of the concatenation.
struct Part {
  std::size_t buffer = 0;
  std::size_t chunk_bytes = 0;  // What it gives for each outer position.
};

class ConcatStep : public Step {
 public:
  // A row of the output has `outer` times one chunk of each part.
  ConcatStep(std::vector<Part> parts, std::size_t outer, std::size_t output)
      : parts_(std::move(parts)), outer_(outer), output_(output) {
    for (const Part& part : parts_) {
      chunk_bytes_ += part.chunk_bytes;
    }
  }

  void Run(RowRange rows, Workspace& workspace) const override {
    std::size_t offset = 0;
    for (const Part& part : parts_) {
      for (std::int64_t row = rows.begin; row < rows.end; ++row) {
        const auto* source = workspace.Row<const std::byte>(part.buffer, row);
        std::byte* target = workspace.Row<std::byte>(output_, row) + offset;
        for (std::size_t i = 0; i < outer_; ++i) {
          std::memcpy(target + i * chunk_bytes_, source + i * part.chunk_bytes,
                      part.chunk_bytes);
        }
      }
      offset += part.chunk_bytes;
    }
  }

  std::string Describe() const override {
    return fmt::format("concat {} parts to {} bytes", parts_.size(),
                       outer_ * chunk_bytes_);
  }

 private:
  std::vector<Part> parts_;
  std::size_t outer_;
  std::size_t output_;
  std::size_t chunk_bytes_ = 0;
};

}  // namespace

absl::Status LowerConcat(const Node& node, PlanBuilder& plan) {
  const Value& result = plan.value(node.outputs[0]);
  const AxisSplit split = SplitRow(result, IntAttribute(node, "axis"));
  std::vector<Part> parts;
  std::vector<std::size_t> buffers;
  for (const ValueId input : node.inputs) {
    const Value& value = plan.value(input);
    if (!value.is_batched()) {
      return absl::UnimplementedError(fmt::format(
          "{}: input \"{}\" is a constant; all inputs must be computed values",
          NodeText(node), value.name));
    }
    // Parts without elements have no memory to copy from.
    if (RowElements(value) > 0) {
      buffers.push_back(plan.BufferOf(input));
      parts.push_back({.buffer = buffers.back(),
                       .chunk_bytes = RowBytes(value) / split.outer});
    }
  }
  const std::size_t output = plan.Define(node.outputs[0]);
  buffers.push_back(output);
  plan.AddStep(
      std::make_unique<ConcatStep>(std::move(parts), split.outer, output),
      buffers);
  return absl::OkStatus();
}

}  // namespace relu
