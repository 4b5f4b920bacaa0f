#include "core/plan/softmax_step.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"

#include "core/base/status_macros.h"
#include "core/graph/graph.h"
#include "core/kernels/kernels.h"
#include "core/plan/plan_builder.h"
#include "core/plan/step.h"
#include "core/plan/storage.h"
#include "core/plan/workspace.h"

namespace relu {
namespace {

// Along the innermost dimension: `count` runs of `size` values in each row.
class SoftmaxStep : public Step {
 public:
  SoftmaxStep(std::size_t count, std::size_t size, std::size_t input,
              std::size_t output)
      : count_(count), size_(size), input_(input), output_(output) {}

  void Run(RowRange rows, Workspace& workspace) const override {
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const auto* input = workspace.Row<const float>(input_, row);
      auto* output = workspace.Row<float>(output_, row);
      for (std::size_t i = 0; i < count_; ++i) {
        kernels::Softmax(size_, input + i * size_, output + i * size_);
      }
    }
  }

  std::string Describe() const override {
    return count_ == 1
               ? fmt::format("softmax {}", size_)
               : fmt::format("softmax {}, {} times a row", size_, count_);
  }

 private:
  std::size_t count_;
  std::size_t size_;
  std::size_t input_;
  std::size_t output_;
};

// Along another dimension: the values lie split.inner apart, so they are
// gathered into a scratch buffer first.
class StridedSoftmaxStep : public Step {
 public:
  struct Buffers {
    std::size_t input = 0;
    std::size_t output = 0;
    std::size_t scratch = 0;
  };

  StridedSoftmaxStep(const AxisSplit& split, const Buffers& buffers)
      : split_(split), buffers_(buffers) {}

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
    return fmt::format("softmax {}, {} times a row, strided", split_.size,
                       split_.outer * split_.inner);
  }

 private:
  void RunOne(const float* input, float* output, float* scratch) const {
    for (std::size_t i = 0; i < split_.size; ++i) {
      scratch[i] = input[i * split_.inner];
    }
    kernels::Softmax(split_.size, scratch, scratch);
    for (std::size_t i = 0; i < split_.size; ++i) {
      output[i * split_.inner] = scratch[i];
    }
  }

  AxisSplit split_;
  Buffers buffers_;
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
  const std::size_t input = plan.BufferOf(node.inputs[0]);
  const std::size_t output = plan.Define(node.outputs[0]);
  if (split.inner == 1) {
    plan.AddStep(
        std::make_unique<SoftmaxStep>(split.outer, split.size, input, output),
        {input, output});
    return absl::OkStatus();
  }
  const std::size_t scratch = plan.AddBuffer(split.size * sizeof(float));
  plan.AddStep(std::make_unique<StridedSoftmaxStep>(
                   split,
                   StridedSoftmaxStep::Buffers{
                       .input = input, .output = output, .scratch = scratch}),
               {input, output, scratch});
  return absl::OkStatus();
}

}  // namespace relu
