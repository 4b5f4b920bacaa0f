#include "core/plan/logic_step.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "core/graph/graph.h"
#include "core/plan/operand.h"
#include "core/plan/plan_builder.h"
#include "core/plan/step.h"
#include "core/plan/storage.h"
#include "core/plan/workspace.h"
#include "core/tensor/data_type.h"

namespace relu {
namespace {

// One row of each operand.
using LogicFunction = void (*)(std::size_t size,
                               const std::byte* const* operands,
                               std::byte* output);

template <typename T, typename Relation>
void CompareRow(std::size_t size, const std::byte* const* operands,
                std::byte* output) {
  const auto* a = reinterpret_cast<const T*>(operands[0]);
  const auto* b = reinterpret_cast<const T*>(operands[1]);
  auto* result = reinterpret_cast<std::uint8_t*>(output);
  for (std::size_t i = 0; i < size; ++i) {
    result[i] = static_cast<std::uint8_t>(Relation()(a[i], b[i]));
  }
}

template <typename Operation>
void CombineRow(std::size_t size, const std::byte* const* operands,
                std::byte* output) {
  for (std::size_t i = 0; i < size; ++i) {
    output[i] = std::byte{Operation()(operands[0][i] != std::byte{0},
                                      operands[1][i] != std::byte{0})};
  }
}

void InvertRow(std::size_t size, const std::byte* const* operands,
               std::byte* output) {
  for (std::size_t i = 0; i < size; ++i) {
    output[i] = std::byte{operands[0][i] == std::byte{0}};
  }
}

// T has the size of an element; what it means does not matter.
template <typename T>
void ChooseRow(std::size_t size, const std::byte* const* operands,
               std::byte* output) {
  const auto* yes = reinterpret_cast<const T*>(operands[1]);
  const auto* no = reinterpret_cast<const T*>(operands[2]);
  auto* result = reinterpret_cast<T*>(output);
  for (std::size_t i = 0; i < size; ++i) {
    result[i] = operands[0][i] != std::byte{0} ? yes[i] : no[i];
  }
}

template <typename T>
LogicFunction Comparison(Operator op) {
  switch (op) {
    case Operator::kEqual:
      return &CompareRow<T, std::equal_to<>>;
    case Operator::kGreater:
      return &CompareRow<T, std::greater<>>;
    case Operator::kGreaterOrEqual:
      return &CompareRow<T, std::greater_equal<>>;
    case Operator::kLess:
      return &CompareRow<T, std::less<>>;
    default:
      return &CompareRow<T, std::less_equal<>>;
  }
}

absl::StatusOr<LogicFunction> FindComparison(const Node& node,
                                             const Value& value) {
  switch (value.type) {
    case DataType::kBool:
    case DataType::kUint8:
      return Comparison<std::uint8_t>(node.op);
    case DataType::kInt32:
      return Comparison<std::int32_t>(node.op);
    case DataType::kInt64:
      return Comparison<std::int64_t>(node.op);
    default:
      RETURN_IF_ERROR(RequireFloat(node, value));
      return Comparison<float>(node.op);
  }
}

struct ElementStep {
  std::string_view name;
  LogicFunction compute = nullptr;
  std::size_t size = 0;
  std::vector<Operand> operands;  // 1 to 3.
  std::size_t output = 0;
};

class LogicStep : public Step {
 public:
  explicit LogicStep(ElementStep step) : step_(std::move(step)) {}

  void Run(RowRange rows, Workspace& workspace) const override {
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const std::byte* operands[3] = {};
      for (std::size_t i = 0; i < step_.operands.size(); ++i) {
        operands[i] = step_.operands[i].Row<std::byte>(workspace, row);
      }
      step_.compute(step_.size, operands,
                    workspace.Row<std::byte>(step_.output, row));
    }
  }

  std::string Describe() const override {
    return fmt::format("{} {}{}", step_.name, step_.size,
                       constant_bytes() > 0 ? ", with a constant" : "");
  }

  std::size_t constant_bytes() const override {
    return ConstantBytes(step_.operands);
  }

 private:
  ElementStep step_;
};

std::string_view LogicName(Operator op) {
  switch (op) {
    case Operator::kAnd:
      return "and";
    case Operator::kEqual:
      return "equal";
    case Operator::kGreater:
      return "greater";
    case Operator::kGreaterOrEqual:
      return "greater or equal";
    case Operator::kLess:
      return "less";
    case Operator::kLessOrEqual:
      return "less or equal";
    case Operator::kNot:
      return "not";
    case Operator::kOr:
      return "or";
    case Operator::kWhere:
      return "where";
    default:
      return "xor";
  }
}

absl::Status AddElementStep(const Node& node, LogicFunction compute,
                            PlanBuilder& plan) {
  const Value& result = plan.value(node.outputs[0]);
  ElementStep step{.name = LogicName(node.op),
                   .compute = compute,
                   .size = RowElements(result),
                   .operands = {},
                   .output = 0};
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    ASSIGN_OR_RETURN(Operand operand, MakeOperand(node, i, result, plan));
    step.operands.push_back(std::move(operand));
  }
  step.output = plan.Define(node.outputs[0]);
  const std::vector<std::size_t> buffers =
      BuffersOf(step.operands, step.output);
  plan.AddStep(std::make_unique<LogicStep>(std::move(step)), buffers);
  return absl::OkStatus();
}

}  // namespace

absl::Status LowerComparison(const Node& node, PlanBuilder& plan) {
  ASSIGN_OR_RETURN(const LogicFunction compute,
                   FindComparison(node, plan.value(node.inputs[0])));
  return AddElementStep(node, compute, plan);
}

absl::Status LowerLogic(const Node& node, PlanBuilder& plan) {
  switch (node.op) {
    case Operator::kAnd:
      return AddElementStep(node, &CombineRow<std::logical_and<>>, plan);
    case Operator::kNot:
      return AddElementStep(node, &InvertRow, plan);
    case Operator::kOr:
      return AddElementStep(node, &CombineRow<std::logical_or<>>, plan);
    default:
      return AddElementStep(node, &CombineRow<std::not_equal_to<>>, plan);
  }
}

absl::Status LowerWhere(const Node& node, PlanBuilder& plan) {
  const Value& result = plan.value(node.outputs[0]);
  switch (DataTypeSize(StorageType(result.type))) {
    case 1:
      return AddElementStep(node, &ChooseRow<std::uint8_t>, plan);
    case 2:
      return AddElementStep(node, &ChooseRow<std::uint16_t>, plan);
    case 4:
      return AddElementStep(node, &ChooseRow<std::uint32_t>, plan);
    default:
      CHECK(DataTypeSize(StorageType(result.type)) == 8);
      return AddElementStep(node, &ChooseRow<std::uint64_t>, plan);
  }
}

}  // namespace relu
