#include "core/plan/reduce_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "core/base/status_macros.h"
#include "core/graph/graph.h"
#include "core/plan/index_table.h"
#include "core/plan/plan_builder.h"
#include "core/plan/rearrange_step.h"
#include "core/plan/step.h"
#include "core/plan/storage.h"
#include "core/plan/workspace.h"

namespace relu {
namespace {

// The reduction of `size` values that lie `stride` apart.
using Reducer = float (*)(const float* values, std::size_t size,
                          std::size_t stride);

double SumOf(const float* values, std::size_t size, std::size_t stride) {
  double sum = 0.0;
  for (std::size_t i = 0; i < size; ++i) {
    sum += static_cast<double>(values[i * stride]);
  }
  return sum;
}

float Sum(const float* values, std::size_t size, std::size_t stride) {
  return static_cast<float>(SumOf(values, size, stride));
}

float MeanOf(const float* values, std::size_t size, std::size_t stride) {
  return static_cast<float>(SumOf(values, size, stride) /
                            static_cast<double>(size));
}

float ProductOf(const float* values, std::size_t size, std::size_t stride) {
  double product = 1.0;
  for (std::size_t i = 0; i < size; ++i) {
    product *= static_cast<double>(values[i * stride]);
  }
  return static_cast<float>(product);
}

float GreatestOf(const float* values, std::size_t size, std::size_t stride) {
  float greatest = -std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < size; ++i) {
    const float value = values[i * stride];
    greatest = value > greatest || std::isnan(value) ? value : greatest;
  }
  return greatest;
}

float LeastOf(const float* values, std::size_t size, std::size_t stride) {
  float least = std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < size; ++i) {
    const float value = values[i * stride];
    least = value < least || std::isnan(value) ? value : least;
  }
  return least;
}

struct Reduction {
  std::string_view name;
  Reducer function = nullptr;
};

Reduction ReductionOf(Operator op) {
  switch (op) {
    case Operator::kReduceMax:
      return {.name = "reduce max", .function = &GreatestOf};
    case Operator::kReduceMean:
      return {.name = "reduce mean", .function = &MeanOf};
    case Operator::kReduceMin:
      return {.name = "reduce min", .function = &LeastOf};
    case Operator::kReduceProd:
      return {.name = "reduce product", .function = &ProductOf};
    default:
      return {.name = "reduce sum", .function = &Sum};
  }
}

class ReduceStep : public Step {
 public:
  struct Buffers {
    std::size_t input = 0;
    std::size_t output = 0;
  };

  ReduceStep(const Reduction& reduction, const AxisSplit& split,
             const Buffers& buffers)
      : reduction_(reduction), split_(split), buffers_(buffers) {}

  void Run(RowRange rows, Workspace& workspace) const override {
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const auto* input = workspace.Row<const float>(buffers_.input, row);
      auto* output = workspace.Row<float>(buffers_.output, row);
      for (std::size_t i = 0; i < split_.outer; ++i) {
        for (std::size_t j = 0; j < split_.inner; ++j) {
          *output++ =
              reduction_.function(input + i * split_.size * split_.inner + j,
                                  split_.size, split_.inner);
        }
      }
    }
  }

  std::string Describe() const override {
    const std::size_t count = split_.outer * split_.inner;
    return count == 1 ? fmt::format("{} {}", reduction_.name, split_.size)
                      : fmt::format("{} {}, {} times a row", reduction_.name,
                                    split_.size, count);
  }

 private:
  Reduction reduction_;
  AxisSplit split_;
  Buffers buffers_;
};

// The elements of a row, with the axes from first to last as one.
AxisSplit SplitRowAtAxes(const Value& value, std::int64_t first,
                         std::int64_t last) {
  AxisSplit split = SplitRow(value, first);
  split.inner = SplitRow(value, last).inner;
  split.size = split.inner == 0 || split.outer == 0
                   ? 0
                   : RowElements(value) / split.outer / split.inner;
  return split;
}

// Moves the axes, which do not lie side by side, to the end of the row.
AxisSplit MoveToEnd(const Value& value, const std::vector<std::int64_t>& axes,
                    std::size_t& buffer, PlanBuilder& plan) {
  std::vector<std::int64_t> order;
  AxisSplit split;
  const auto rank = static_cast<std::int64_t>(value.shape.size());
  for (std::int64_t axis = 1; axis < rank; ++axis) {
    if (std::ranges::find(axes, axis) == axes.end()) {
      order.push_back(axis - 1);
      split.outer *=
          static_cast<std::size_t>(value.shape[static_cast<std::size_t>(axis)]);
    }
  }
  for (const std::int64_t axis : axes) {
    order.push_back(axis - 1);
    split.size *=
        static_cast<std::size_t>(value.shape[static_cast<std::size_t>(axis)]);
  }
  buffer = Rearrange({.name = "transpose",
                      .source = buffer,
                      .element_bytes = sizeof(float),
                      .table = TransposeTable(RowShape(value), order)},
                     plan);
  return split;
}

}  // namespace

absl::Status LowerReduction(const Node& node, PlanBuilder& plan) {
  const Value& value = plan.value(node.inputs[0]);
  RETURN_IF_ERROR(RequireFloat(node, value));
  const std::vector<std::int64_t>& axes = IntsAttribute(node, "axes");
  std::size_t input = plan.BufferOf(node.inputs[0]);
  if (axes.empty()) {
    plan.Place(node.outputs[0], input);  // Reduces nothing.
    return absl::OkStatus();
  }
  const bool side_by_side =
      axes.back() - axes.front() + 1 == static_cast<std::int64_t>(axes.size());
  const AxisSplit split = side_by_side
                              ? SplitRowAtAxes(value, axes.front(), axes.back())
                              : MoveToEnd(value, axes, input, plan);
  const std::size_t output = plan.Define(node.outputs[0]);
  plan.AddStep(std::make_unique<ReduceStep>(
                   ReductionOf(node.op), split,
                   ReduceStep::Buffers{.input = input, .output = output}),
               {input, output});
  return absl::OkStatus();
}

}  // namespace relu
