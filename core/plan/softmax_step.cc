#include "core/plan/softmax_step.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"

#include "core/base/status_macros.h"
#include "core/graph/graph.h"
#include "core/kernels/elementwise.h"
#include "core/plan/plan_builder.h"
#include "core/plan/step.h"
#include "core/plan/storage.h"
#include "core/plan/workspace.h"

namespace relu {
namespace {

using Kernel = void (*)(std::size_t size, const float* input, float* output);

struct SoftmaxFunction {
  std::string_view name;
  Kernel kernel = nullptr;
};

struct SoftmaxBuffers {
  std::size_t input = 0;
  std::size_t output = 0;
  std::size_t scratch = 0;  // If the values of a run lie apart.
};

// Along the innermost dimension: `count` runs of `size` values in each row.
class SoftmaxStep : public Step {
 public:
  SoftmaxStep(const SoftmaxFunction& function, const AxisSplit& split,
              const SoftmaxBuffers& buffers)
      : function_(function),
        count_(split.outer),
        size_(split.size),
        input_(buffers.input),
        output_(buffers.output) {}

  void Run(RowRange rows, Workspace& workspace) const override {
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const auto* input = workspace.Row<const float>(input_, row);
      auto* output = workspace.Row<float>(output_, row);
      for (std::size_t i = 0; i < count_; ++i) {
        function_.kernel(size_, input + i * size_, output + i * size_);
      }
    }
  }

  std::string Describe() const override {
    return count_ == 1 ? fmt::format("{} {}", function_.name, size_)
                       : fmt::format("{} {}, {} times a row", function_.name,
                                     size_, count_);
  }

 private:
  SoftmaxFunction function_;
  std::size_t count_;
  std::size_t size_;
  std::size_t input_;
  std::size_t output_;
};

// Along another dimension: the values lie split.inner apart, so they are
// gathered into a scratch buffer first.
class StridedSoftmaxStep : public Step {
 public:
  StridedSoftmaxStep(const SoftmaxFunction& function, const AxisSplit& split,
                     const SoftmaxBuffers& buffers)
      : function_(function), split_(split), buffers_(buffers) {}

  void Run(RowRange rows, Workspace& workspace) const override {
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const auto* input = workspace.Row<const float>(buffers_.input, row);
      auto* output = workspace.Row<float>(buffers_.output, row);
      auto* scratch = workspace.Row<float>(buffers_.scratch, row);
      for (std::size_t i = 0; i < split_.outer; ++i) {
        for (std::size_t j = 0; j < split_.inner; ++j) {
          const std::size_t first = i * split_.size * split_.inner + j;
          RunOne(input + first, output + first, scratch);
        }
      }
    }
  }

  std::string Describe() const override {
    return fmt::format("{} {}, {} times a row, strided", function_.name,
                       split_.size, split_.outer * split_.inner);
  }

 private:
  void RunOne(const float* input, float* output, float* scratch) const {
    for (std::size_t i = 0; i < split_.size; ++i) {
      scratch[i] = input[i * split_.inner];
    }
    function_.kernel(split_.size, scratch, scratch);
    for (std::size_t i = 0; i < split_.size; ++i) {
      output[i * split_.inner] = scratch[i];
    }
  }

  SoftmaxFunction function_;
  AxisSplit split_;
  SoftmaxBuffers buffers_;
};

}  // namespace

absl::Status LowerSoftmax(const Node& node, PlanBuilder& plan) {
  const Value& value = plan.value(node.inputs[0]);
  RETURN_IF_ERROR(RequireFloat(node, value));
  AxisSplit split = SplitRow(value, IntAttribute(node, "axis"));
  if (IntAttribute(node, "flatten") != 0) {
    split.size *= split.inner;
    split.inner = 1;
  }
  const SoftmaxFunction function =
      node.op == Operator::kLogSoftmax
          ? SoftmaxFunction{.name = "log softmax",
                            .kernel = &kernels::LogSoftmax}
          : SoftmaxFunction{.name = "softmax", .kernel = &kernels::Softmax};
  SoftmaxBuffers buffers{.input = plan.BufferOf(node.inputs[0])};
  if (split.inner == 1) {
    buffers.output = plan.DefineInPlace(node.outputs[0], node, /*input=*/0);
    plan.AddStep(std::make_unique<SoftmaxStep>(function, split, buffers),
                 {buffers.input, buffers.output});
    return absl::OkStatus();
  }
  buffers.output = plan.Define(node.outputs[0]);
  buffers.scratch = plan.AddBuffer(split.size * sizeof(float));
  plan.AddStep(std::make_unique<StridedSoftmaxStep>(function, split, buffers),
               {buffers.input, buffers.output, buffers.scratch});
  return absl::OkStatus();
}

}  // namespace relu
