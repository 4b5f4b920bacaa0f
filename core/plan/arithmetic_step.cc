#include "core/plan/arithmetic_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/elements.h"
#include "core/graph/graph.h"
#include "core/kernels/elementwise.h"
#include "core/plan/operand.h"
#include "core/plan/plan_builder.h"
#include "core/plan/step.h"
#include "core/plan/storage.h"
#include "core/plan/workspace.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

// Where overflow is defined: integers compute without sign.
template <typename T>
using Wrapping = std::make_unsigned_t<T>;

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

struct Least {
  template <typename T>
  static T Apply(T a, T b) {
    return std::min(a, b);
  }
};

struct Greatest {
  template <typename T>
  static T Apply(T a, T b) {
    return std::max(a, b);
  }
};

struct DividedBy {
  template <typename T>
  static T Apply(T a, T b) {
    if (b == 0) {
      return 0;
    }
    if (b == -1) {  // The lowest number divided by it does not fit.
      return Minus::Apply(T{0}, a);
    }
    return a / b;
  }
};

// Returns false if an integer was divided by zero.
using ArithmeticFunction = bool (*)(std::size_t size, const std::byte* a,
                                    const std::byte* b, std::byte* output);

// T is a type of integers.
template <typename T, typename Operation>
bool ComputeRow(std::size_t size, const std::byte* a, const std::byte* b,
                std::byte* output) {
  const auto* left = reinterpret_cast<const T*>(a);
  const auto* right = reinterpret_cast<const T*>(b);
  auto* result = reinterpret_cast<T*>(output);
  bool good = true;
  for (std::size_t i = 0; i < size; ++i) {
    if constexpr (std::is_same_v<Operation, DividedBy>) {
      good = good && right[i] != 0;
    }
    result[i] = Operation::Apply(left[i], right[i]);
  }
  return good;
}

template <kernels::BinaryFunction kFunction>
bool ComputeFloats(std::size_t size, const std::byte* a, const std::byte* b,
                   std::byte* output) {
  kernels::Apply(kFunction, size, reinterpret_cast<const float*>(a),
                 reinterpret_cast<const float*>(b),
                 reinterpret_cast<float*>(output));
  return true;
}

// nullptr if there is none.
template <typename T>
ArithmeticFunction IntegerFunction(Operator op) {
  switch (op) {
    case Operator::kAdd:
    case Operator::kSum:
      return &ComputeRow<T, Plus>;
    case Operator::kDiv:
      return &ComputeRow<T, DividedBy>;
    case Operator::kMax:
      return &ComputeRow<T, Greatest>;
    case Operator::kMin:
      return &ComputeRow<T, Least>;
    case Operator::kMul:
      return &ComputeRow<T, Times>;
    case Operator::kSub:
      return &ComputeRow<T, Minus>;
    default:
      return nullptr;
  }
}

ArithmeticFunction FloatFunction(Operator op) {
  using kernels::BinaryFunction;
  switch (op) {
    case Operator::kDiv:
      return &ComputeFloats<BinaryFunction::kDiv>;
    case Operator::kMax:
      return &ComputeFloats<BinaryFunction::kMax>;
    case Operator::kMin:
      return &ComputeFloats<BinaryFunction::kMin>;
    case Operator::kMul:
      return &ComputeFloats<BinaryFunction::kMul>;
    case Operator::kPRelu:
      return &ComputeFloats<BinaryFunction::kPRelu>;
    case Operator::kPow:
      return &ComputeFloats<BinaryFunction::kPow>;
    case Operator::kSub:
      return &ComputeFloats<BinaryFunction::kSub>;
    default:  // Add, Sum, Mean.
      return &ComputeFloats<BinaryFunction::kAdd>;
  }
}

absl::StatusOr<ArithmeticFunction> FindFunction(const Node& node,
                                                const Value& value) {
  ArithmeticFunction function = nullptr;
  if (value.type == DataType::kInt32) {
    function = IntegerFunction<std::int32_t>(node.op);
  } else if (value.type == DataType::kInt64) {
    function = IntegerFunction<std::int64_t>(node.op);
  }
  if (function != nullptr) {
    return function;
  }
  RETURN_IF_ERROR(RequireFloat(node, value));
  return FloatFunction(node.op);
}

struct Arithmetic {
  std::string_view name;
  ArithmeticFunction compute = nullptr;
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
          arithmetic_.size, a.Row<std::byte>(workspace, row),
          b.Row<std::byte>(workspace, row),
          workspace.Row<std::byte>(arithmetic_.output, row));
      if (!good) {
        workspace.SetFault(row, arithmetic_.division_by_zero);
      }
    }
  }

  std::string Describe() const override {
    const bool has_constant = ConstantBytes(arithmetic_.operands) > 0;
    return fmt::format("{} {}{}", arithmetic_.name, arithmetic_.size,
                       has_constant ? ", with a constant" : "");
  }

  std::size_t constant_bytes() const override {
    return ConstantBytes(arithmetic_.operands);
  }

 private:
  Arithmetic arithmetic_;
};

std::string_view ArithmeticName(Operator op) {
  switch (op) {
    case Operator::kDiv:
      return "divide";
    case Operator::kMax:
      return "max";
    case Operator::kMin:
      return "min";
    case Operator::kMul:
      return "multiply";
    case Operator::kPRelu:
      return "prelu";
    case Operator::kPow:
      return "power";
    case Operator::kSub:
      return "subtract";
    default:
      return "add";
  }
}

// The lowering of one node, which may take several steps.
class ArithmeticLowering {
 public:
  ArithmeticLowering(const Node& node, ArithmeticFunction compute,
                     PlanBuilder& plan)
      : node_(node),
        result_(plan.value(node.outputs[0])),
        compute_(compute),
        plan_(plan) {}

  absl::Status Lower() {
    std::vector<Operand> operands;
    for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
      ASSIGN_OR_RETURN(Operand operand, ReadOperand(i));
      operands.push_back(std::move(operand));
    }
    const std::size_t output = DefineOutput(operands);
    AddStep(compute_, std::move(operands[0]), std::move(operands[1]), output);
    for (std::size_t i = 2; i < operands.size(); ++i) {
      AddStep(compute_, Operand{.buffer = output, .constant = {}},
              std::move(operands[i]), output);
    }
    if (node_.op == Operator::kMean) {
      AddStep(&ComputeFloats<kernels::BinaryFunction::kDiv>,
              Operand{.buffer = output, .constant = {}},
              Filled(static_cast<float>(node_.inputs.size())), output);
    }
    return absl::OkStatus();
  }

 private:
  // The exponent of Pow may be of another type than the base.
  absl::StatusOr<Operand> ReadOperand(std::size_t index) {
    const Value& value = plan_.value(node_.inputs[index]);
    if (StorageType(value.type) == StorageType(result_.type)) {
      return MakeOperand(node_, index, result_, plan_);
    }
    if (value.constant == nullptr) {
      return absl::UnimplementedError(fmt::format(
          "{}: \"{}\" is computed and has another type than the result",
          NodeText(node_), value.name));
    }
    const Tensor converted =
        FromDoubles(StorageType(result_.type), value.constant->shape(),
                    ToDoubles(*value.constant));
    Operand operand;
    ASSIGN_OR_RETURN(operand.constant,
                     ExpandConstant(node_, converted, result_));
    return operand;
  }

  // Over an operand of the first step: the later ones still need theirs.
  std::size_t DefineOutput(const std::vector<Operand>& operands) {
    for (std::size_t i = 0; i < operands.size() && operands.size() <= 2; ++i) {
      if (!operands[i].constant.has_value() &&
          plan_.value(node_.inputs[i]).shape == result_.shape) {
        return plan_.DefineInPlace(node_.outputs[0], node_, i);
      }
    }
    return plan_.Define(node_.outputs[0]);
  }

  // A float for each element of a row.
  Operand Filled(float value) const {
    Tensor row(DataType::kFp32,
               {static_cast<std::int64_t>(RowElements(result_))});
    std::ranges::fill(row.As<float>(), value);
    return {.buffer = 0, .constant = std::move(row)};
  }

  void AddStep(ArithmeticFunction compute, Operand a, Operand b,
               std::size_t output) {
    Arithmetic arithmetic{
        .name = compute == compute_ ? ArithmeticName(node_.op) : "divide",
        .compute = compute,
        .size = RowElements(result_),
        .operands = {std::move(a), std::move(b)},
        .output = output,
        .division_by_zero =
            fmt::format("{}: an integer is divided by zero", NodeText(node_))};
    std::vector<std::size_t> buffers = BuffersOf(arithmetic.operands, output);
    plan_.AddStep(std::make_unique<ArithmeticStep>(std::move(arithmetic)),
                  buffers);
  }

  const Node& node_;
  const Value& result_;
  ArithmeticFunction compute_;
  PlanBuilder& plan_;
};

}  // namespace

absl::Status LowerArithmetic(const Node& node, PlanBuilder& plan) {
  if (node.inputs.size() == 1) {
    // Of one operand Sum, Mean, Min and Max are that operand.
    plan.Place(node.outputs[0], plan.BufferOf(node.inputs[0]));
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const ArithmeticFunction compute,
                   FindFunction(node, plan.value(node.outputs[0])));
  return ArithmeticLowering(node, compute, plan).Lower();
}

}  // namespace relu
