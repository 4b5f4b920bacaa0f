#include "core/plan/activation_step.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

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

using Kernel = void (*)(std::size_t size, const float* input, float* output);

struct Activation {
  std::string_view name;
  Kernel kernel = nullptr;
};

Activation ActivationOf(Operator op) {
  switch (op) {
    case Operator::kSigmoid:
      return {.name = "sigmoid", .kernel = &kernels::Sigmoid};
    case Operator::kTanh:
      return {.name = "tanh", .kernel = &kernels::Tanh};
    default:
      return {.name = "relu", .kernel = &kernels::Relu};
  }
}

class ActivationStep : public Step {
 public:
  ActivationStep(Activation activation, std::size_t size, std::size_t input,
                 std::size_t output)
      : activation_(activation), size_(size), input_(input), output_(output) {}

  void Run(RowRange rows, Workspace& workspace) const override {
    for (std::int64_t i = rows.begin; i < rows.end; ++i) {
      activation_.kernel(size_, workspace.Row<const float>(input_, i),
                         workspace.Row<float>(output_, i));
    }
  }

  std::string Describe() const override {
    return fmt::format("{} {}", activation_.name, size_);
  }

 private:
  Activation activation_;
  std::size_t size_;
  std::size_t input_;
  std::size_t output_;
};

}  // namespace

absl::Status LowerActivation(const Node& node, PlanBuilder& plan) {
  const Value& value = plan.value(node.inputs[0]);
  RETURN_IF_ERROR(RequireFloat(node, value));
  const std::size_t input = plan.BufferOf(node.inputs[0]);
  const std::size_t output = plan.Define(node.outputs[0]);
  plan.AddStep(std::make_unique<ActivationStep>(
                   ActivationOf(node.op), RowElements(value), input, output),
               {input, output});
  return absl::OkStatus();
}

}  // namespace relu
