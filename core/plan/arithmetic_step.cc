#include "core/plan/arithmetic_step.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/graph.h"
#include "core/plan/index_table.h"
#include "core/plan/plan_builder.h"
#include "core/plan/rearrange_step.h"
#include "core/plan/step.h"
#include "core/plan/storage.h"
#include "core/plan/workspace.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

// Where overflow is defined: integers compute without sign.
template <typename T>
using Wrapping =
    typename std::conditional_t<std::is_integral_v<T>, std::make_unsigned<T>,
                                std::type_identity<T>>::type;

struct Plus {
  template <typename T>
  static T Apply(T a, T b) {
    using W = Wrapping<T>;
    return static_cast<T>(static_cast<W>(a) + static_cast<W>(b));
  }
};

struct Minus {
  template <typename T>
  static T Apply(T a, T b) {
    using W = Wrapping<T>;
    return static_cast<T>(static_cast<W>(a) - static_cast<W>(b));
  }
};

struct Times {
  template <typename T>
  static T Apply(T a, T b) {
    using W = Wrapping<T>;
    return static_cast<T>(static_cast<W>(a) * static_cast<W>(b));
  }
};

struct DividedBy {
  template <typename T>
  static T Apply(T a, T b) {
    if constexpr (std::is_integral_v<T>) {
      if (b == 0) {
        return 0;
      }
      if (b == -1) {  // The lowest number divided by it does not fit.
        return Minus::Apply(T{0}, a);
      }
    }
    return a / b;
  }
};

// Returns false if an integer was divided by zero.
using RowFunction = bool (*)(std::size_t size, const std::byte* a,
                             const std::byte* b, std::byte* output);

template <typename T, typename Operation>
bool ComputeRow(std::size_t size, const std::byte* a, const std::byte* b,
                std::byte* output) {
  const auto* left = reinterpret_cast<const T*>(a);
  const auto* right = reinterpret_cast<const T*>(b);
  auto* result = reinterpret_cast<T*>(output);
  bool good = true;
  for (std::size_t i = 0; i < size; ++i) {
    if constexpr (std::is_same_v<Operation, DividedBy> &&
                  std::is_integral_v<T>) {
      good = good && right[i] != 0;
    }
    result[i] = Operation::Apply(left[i], right[i]);
  }
  return good;
}

template <typename T>
RowFunction FunctionOf(Operator op) {
  switch (op) {
    case Operator::kSub:
      return &ComputeRow<T, Minus>;
    case Operator::kMul:
      return &ComputeRow<T, Times>;
    case Operator::kDiv:
      return &ComputeRow<T, DividedBy>;
    default:
      return &ComputeRow<T, Plus>;
  }
}

// One side of the operation: a buffer, or a constant row if that is set.
struct Operand {
  std::size_t buffer = 0;
  std::optional<Tensor> constant;

  const std::byte* Row(Workspace& workspace, std::int64_t row) const {
    return constant.has_value() ? constant->bytes().data()
                                : workspace.Row<const std::byte>(buffer, row);
  }
};

struct Arithmetic {
  std::string_view name;
  RowFunction compute = nullptr;
  std::size_t size = 0;
  std::array<Operand, 2> operands;
  std::size_t output = 0;
  std::string division_by_zero;
};

class ArithmeticStep : public Step {
 public:
  explicit ArithmeticStep(Arithmetic arithmetic)
      : arithmetic_(std::move(arithmetic)) {}

  void Run(RowRange rows, Workspace& workspace) const override {
    const auto& [a, b] = arithmetic_.operands;
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const bool good = arithmetic_.compute(
          arithmetic_.size, a.Row(workspace, row), b.Row(workspace, row),
          workspace.Row<std::byte>(arithmetic_.output, row));
      if (!good) {
        workspace.SetFault(row, arithmetic_.division_by_zero);
      }
    }
  }

  std::string Describe() const override {
    const bool has_constant = arithmetic_.operands[0].constant.has_value() ||
                              arithmetic_.operands[1].constant.has_value();
    return fmt::format("{} {}{}", arithmetic_.name, arithmetic_.size,
                       has_constant ? ", with a constant" : "");
  }

  std::size_t constant_bytes() const override {
    std::size_t total_bytes = 0;
    for (const Operand& operand : arithmetic_.operands) {
      total_bytes +=
          operand.constant.has_value() ? operand.constant->bytes().size() : 0;
    }
    return total_bytes;
  }

 private:
  Arithmetic arithmetic_;
};

std::string_view NameOf(Operator op) {
  switch (op) {
    case Operator::kSub:
      return "subtract";
    case Operator::kMul:
      return "multiply";
    case Operator::kDiv:
      return "divide";
    default:
      return "add";
  }
}

// A constant is expanded now; a computed value of another shape by a step.
absl::StatusOr<Operand> MakeOperand(const Node& node, ValueId id,
                                    PlanBuilder& plan) {
  const Value& value = plan.value(id);
  const Value& result = plan.value(node.outputs[0]);
  Operand operand;
  if (value.constant != nullptr) {
    ASSIGN_OR_RETURN(operand.constant,
                     ExpandConstant(node, *value.constant, result));
    return operand;
  }
  if (value.shape == result.shape) {
    operand.buffer = plan.BufferOf(id);
    return operand;
  }
  std::optional<IndexTable> table;
  if (value.shape.size() == result.shape.size()) {
    table = BroadcastTable(RowShape(value), RowShape(result));
  }
  if (!table.has_value()) {
    return absl::UnimplementedError(fmt::format(
        "{}: value \"{}\" of shape {} does not go into a result of shape {} "
        "row by row",
        NodeText(node), value.name, ShapeText(value.shape),
        ShapeText(result.shape)));
  }
  operand.buffer =
      Rearrange({.name = "broadcast",
                 .source = plan.BufferOf(id),
                 .element_bytes = DataTypeSize(StorageType(value.type)),
                 .table = *std::move(table)},
                plan);
  return operand;
}

absl::StatusOr<RowFunction> FindFunction(const Node& node, const Value& value) {
  if (value.type == DataType::kInt32) {
    return FunctionOf<std::int32_t>(node.op);
  }
  if (value.type == DataType::kInt64) {
    return FunctionOf<std::int64_t>(node.op);
  }
  RETURN_IF_ERROR(RequireFloat(node, value));
  return FunctionOf<float>(node.op);
}

}  // namespace

absl::Status LowerArithmetic(const Node& node, PlanBuilder& plan) {
  const Value& result = plan.value(node.outputs[0]);
  Arithmetic arithmetic;
  arithmetic.name = NameOf(node.op);
  arithmetic.size = RowElements(result);
  arithmetic.division_by_zero =
      fmt::format("{}: an integer is divided by zero", NodeText(node));
  ASSIGN_OR_RETURN(arithmetic.compute, FindFunction(node, result));
  ASSIGN_OR_RETURN(arithmetic.operands[0],
                   MakeOperand(node, node.inputs[0], plan));
  ASSIGN_OR_RETURN(arithmetic.operands[1],
                   MakeOperand(node, node.inputs[1], plan));
  arithmetic.output = plan.Define(node.outputs[0]);
  std::vector<std::size_t> buffers{arithmetic.output};
  for (const Operand& operand : arithmetic.operands) {
    if (!operand.constant.has_value()) {
      buffers.push_back(operand.buffer);
    }
  }
  plan.AddStep(std::make_unique<ArithmeticStep>(std::move(arithmetic)),
               buffers);
  return absl::OkStatus();
}

}  // namespace relu
