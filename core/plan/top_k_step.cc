#include "core/plan/top_k_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <string>

#include "absl/status/status.h"

#include "core/base/status_macros.h"
#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"
#include "core/plan/step.h"
#include "core/plan/storage.h"
#include "core/plan/workspace.h"

namespace relu {
namespace {

struct TopKBuffers {
  std::size_t input = 0;
  std::size_t values = 0;
  std::size_t positions = 0;
  std::size_t scratch = 0;  // An std::uint32_t for each element of the axis.
};

// A strict order in which every NaN is equal and above all numbers.
bool Above(float a, float b) {
  return a > b || (std::isnan(a) && !std::isnan(b));
}

class TopKStep : public Step {
 public:
  TopKStep(const AxisSplit& split, std::size_t k, bool largest,
           const TopKBuffers& buffers)
      : split_(split), k_(k), largest_(largest), buffers_(buffers) {}

  void Run(RowRange rows, Workspace& workspace) const override {
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const auto* input = workspace.Row<const float>(buffers_.input, row);
      auto* values = workspace.Row<float>(buffers_.values, row);
      auto* positions = workspace.Row<std::int64_t>(buffers_.positions, row);
      const std::span order(workspace.Row<std::uint32_t>(buffers_.scratch, row),
                            split_.size);
      for (std::size_t i = 0; i < split_.outer; ++i) {
        for (std::size_t j = 0; j < split_.inner; ++j) {
          const float* line = input + i * split_.size * split_.inner + j;
          Sort(line, order);
          for (std::size_t rank = 0; rank < k_; ++rank) {
            const std::size_t to = (i * k_ + rank) * split_.inner + j;
            values[to] = line[order[rank] * split_.inner];
            positions[to] = order[rank];
          }
        }
      }
    }
  }

  std::string Describe() const override {
    return fmt::format("top {} of {}", k_, split_.size);
  }

 private:
  // Positions of the k first in order.
  void Sort(const float* line, std::span<std::uint32_t> order) const {
    std::iota(order.begin(), order.end(), 0U);
    std::partial_sort(order.begin(),
                      order.begin() + static_cast<std::ptrdiff_t>(k_),
                      order.end(), [&](std::uint32_t a, std::uint32_t b) {
                        const float x = line[a * split_.inner];
                        const float y = line[b * split_.inner];
                        const bool first = largest_ ? Above(x, y) : Above(y, x);
                        const bool last = largest_ ? Above(y, x) : Above(x, y);
                        return first || (!last && a < b);
                      });
  }

  AxisSplit split_;
  std::size_t k_;
  bool largest_;
  TopKBuffers buffers_;
};

}  // namespace

absl::Status LowerTopK(const Node& node, PlanBuilder& plan) {
  const Value& value = plan.value(node.inputs[0]);
  RETURN_IF_ERROR(RequireFloat(node, value));
  const AxisSplit split = SplitRow(value, IntAttribute(node, "axis"));
  const TopKBuffers buffers{
      .input = plan.BufferOf(node.inputs[0]),
      .values = plan.Define(node.outputs[0]),
      .positions = plan.Define(node.outputs[1]),
      .scratch = plan.AddBuffer(split.size * sizeof(std::uint32_t))};
  plan.AddStep(
      std::make_unique<TopKStep>(
          split, static_cast<std::size_t>(IntAttribute(node, "k")),
          IntAttribute(node, "largest") != 0, buffers),
      {buffers.input, buffers.values, buffers.positions, buffers.scratch});
  return absl::OkStatus();
}

}  // namespace relu
