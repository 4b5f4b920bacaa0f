#include "core/plan/activation_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/graph.h"
#include "core/kernels/elementwise.h"
#include "core/plan/plan_builder.h"
#include "core/plan/step.h"
#include "core/plan/storage.h"
#include "core/plan/workspace.h"

namespace relu {
namespace {

using kernels::Function;

struct Activation {
  std::string name;
  Function function = Function::kRelu;
  kernels::Parameters parameters;
};

Function GeluOf(const Node& node) {
  const auto& form = node.attributes.find("approximate")->second;
  return std::get<std::string>(form) == "tanh" ? Function::kGeluTanh
                                               : Function::kGelu;
}

// The functions without attributes.
Function FunctionOf(Operator op) {
  switch (op) {
    // clang-format off
    case Operator::kAbs: return Function::kAbs;
    case Operator::kCeil: return Function::kCeil;
    case Operator::kErf: return Function::kErf;
    case Operator::kExp: return Function::kExp;
    case Operator::kFloor: return Function::kFloor;
    case Operator::kHardSwish: return Function::kHardSwish;
    case Operator::kLog: return Function::kLog;
    case Operator::kMish: return Function::kMish;
    case Operator::kNeg: return Function::kNeg;
    case Operator::kReciprocal: return Function::kReciprocal;
    case Operator::kRound: return Function::kRound;
    case Operator::kSigmoid: return Function::kSigmoid;
    case Operator::kSign: return Function::kSign;
    case Operator::kSoftplus: return Function::kSoftplus;
    case Operator::kSoftsign: return Function::kSoftsign;
    case Operator::kSqrt: return Function::kSqrt;
    case Operator::kTanh: return Function::kTanh;
    default: return Function::kRelu;
      // clang-format on
  }
}

Activation ActivationOf(const Node& node) {
  const auto with = [&](Function function, std::string_view a,
                        std::string_view b = "") {
    Activation activation{.name = "", .function = function, .parameters = {}};
    activation.parameters.a = FloatAttribute(node, a);
    if (!b.empty()) {
      activation.parameters.b = FloatAttribute(node, b);
    }
    return activation;
  };
  switch (node.op) {
    case Operator::kCelu:
      return with(Function::kCelu, "alpha");
    case Operator::kClip:
      return with(Function::kClip, "min", "max");
    case Operator::kElu:
      return with(Function::kElu, "alpha");
    case Operator::kGelu:
      return {.name = "", .function = GeluOf(node), .parameters = {}};
    case Operator::kHardSigmoid:
      return with(Function::kHardSigmoid, "alpha", "beta");
    case Operator::kLeakyRelu:
      return with(Function::kLeakyRelu, "alpha");
    case Operator::kSelu:
      return with(Function::kSelu, "alpha", "gamma");
    case Operator::kSwish:
      return with(Function::kSwish, "alpha");
    case Operator::kThresholdedRelu:
      return with(Function::kThresholdedRelu, "alpha");
    default:
      return {.name = "", .function = FunctionOf(node.op), .parameters = {}};
  }
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char letter) {
    return static_cast<char>(std::tolower(letter));
  });
  return lower;
}

class ActivationStep : public Step {
 public:
  struct Buffers {
    std::size_t input = 0;
    std::size_t output = 0;
    bool dense_rows = false;  // Of both: a batch is one long row.
  };

  ActivationStep(Activation activation, std::size_t size,
                 const Buffers& buffers)
      : activation_(std::move(activation)), size_(size), buffers_(buffers) {}

  void Run(RowRange rows, Workspace& workspace) const override {
    if (buffers_.dense_rows) {
      const auto count = static_cast<std::size_t>(rows.size());
      RunRow(count * size_, rows.begin, workspace);
      return;
    }
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      RunRow(size_, row, workspace);
    }
  }

  std::string Describe() const override {
    return fmt::format("{} {}", activation_.name, size_);
  }

 private:
  void RunRow(std::size_t size, std::int64_t row, Workspace& workspace) const {
    kernels::Apply(activation_.function, activation_.parameters, size,
                   workspace.Row<const float>(buffers_.input, row),
                   workspace.Row<float>(buffers_.output, row));
  }

  Activation activation_;
  std::size_t size_;
  Buffers buffers_;
};

// The bounds are attributes where they are known now.
absl::Status CheckBounds(const Node& node, const PlanBuilder& plan) {
  for (std::size_t i = 1; i < node.inputs.size(); ++i) {
    const ValueId bound = node.inputs[i];
    if (bound != kNoValue && plan.value(bound).constant == nullptr) {
      return absl::UnimplementedError(
          fmt::format("{}: bound \"{}\" is computed; only constant bounds have "
                      "a step",
                      NodeText(node), plan.value(bound).name));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status LowerActivation(const Node& node, PlanBuilder& plan) {
  const Value& value = plan.value(node.inputs[0]);
  RETURN_IF_ERROR(RequireFloat(node, value));
  RETURN_IF_ERROR(CheckBounds(node, plan));
  Activation activation = ActivationOf(node);
  activation.name = LowerCase(OperatorName(node.op));
  const std::size_t input = plan.BufferOf(node.inputs[0]);
  const std::size_t output =
      plan.DefineInPlace(node.outputs[0], node, /*input=*/0);
  const bool dense_rows = plan.HasDenseRows(input) && plan.HasDenseRows(output);
  plan.AddStep(
      std::make_unique<ActivationStep>(
          std::move(activation), RowElements(value),
          ActivationStep::Buffers{
              .input = input, .output = output, .dense_rows = dense_rows}),
      {input, output});
  return absl::OkStatus();
}

}  // namespace relu
