#include "core/plan/arg_max_step.h"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "absl/status/status.h"

#include "core/base/status_macros.h"
#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"
#include "core/plan/step.h"
#include "core/plan/storage.h"
#include "core/plan/workspace.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"

namespace relu {
namespace {

template <typename T>
bool IsNan(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::isnan(value);
  } else {
    return false;
  }
}

template <typename T>
class ArgMaxStep : public Step {
 public:
  struct Buffers {
    std::size_t input = 0;
    std::size_t output = 0;
  };

  struct Choice {
    bool least = false;
    bool last = false;  // Of equal ones.
  };

  ArgMaxStep(const AxisSplit& split, Choice choice, Buffers buffers)
      : split_(split), choice_(choice), buffers_(buffers) {}

  void Run(RowRange rows, Workspace& workspace) const override {
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const T* input = workspace.Row<const T>(buffers_.input, row);
      auto* output = workspace.Row<std::int64_t>(buffers_.output, row);
      for (std::size_t i = 0; i < split_.outer; ++i) {
        for (std::size_t j = 0; j < split_.inner; ++j) {
          *output++ = Find(input + i * split_.size * split_.inner + j);
        }
      }
    }
  }

  std::string Describe() const override {
    const std::size_t count = split_.outer * split_.inner;
    const std::string_view name = choice_.least ? "argmin" : "argmax";
    return count == 1
               ? fmt::format("{} {}", name, split_.size)
               : fmt::format("{} {}, {} times a row", name, split_.size, count);
  }

 private:
  std::int64_t Find(const T* values) const {
    std::size_t best = 0;
    for (std::size_t i = 1; i < split_.size; ++i) {
      const T value = values[i * split_.inner];
      const T found = values[best * split_.inner];
      const bool beats = choice_.least ? value < found : value > found;
      const bool more = beats || (IsNan(value) && !IsNan(found));
      const bool equal = value == found || (IsNan(value) && IsNan(found));
      if (more || (choice_.last && equal)) {
        best = i;
      }
    }
    return static_cast<std::int64_t>(best);
  }

  AxisSplit split_;
  Choice choice_;
  Buffers buffers_;
};

template <typename T>
void AddArgMax(const Node& node, const AxisSplit& split, PlanBuilder& plan) {
  const std::size_t input = plan.BufferOf(node.inputs[0]);
  const std::size_t output = plan.Define(node.outputs[0]);
  plan.AddStep(
      std::make_unique<ArgMaxStep<T>>(
          split,
          typename ArgMaxStep<T>::Choice{
              .least = node.op == Operator::kArgMin,
              .last = IntAttribute(node, "select_last_index") != 0},
          typename ArgMaxStep<T>::Buffers{.input = input, .output = output}),
      {input, output});
}

}  // namespace

absl::Status LowerArgMax(const Node& node, PlanBuilder& plan) {
  const Value& value = plan.value(node.inputs[0]);
  const AxisSplit split = SplitRow(value, IntAttribute(node, "axis"));
  if (split.size == 0) {
    return absl::InvalidArgumentError(
        fmt::format("{}: the axis of value \"{}\", shape {}, has no elements "
                    "to choose from",
                    NodeText(node), value.name, ShapeText(value.shape)));
  }
  if (value.type == DataType::kInt32) {
    AddArgMax<std::int32_t>(node, split, plan);
  } else if (value.type == DataType::kInt64) {
    AddArgMax<std::int64_t>(node, split, plan);
  } else {
    RETURN_IF_ERROR(RequireFloat(node, value));
    AddArgMax<float>(node, split, plan);
  }
  return absl::OkStatus();
}

}  // namespace relu
