#include "core/plan/quantize_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/elements.h"
#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"
#include "core/plan/step.h"
#include "core/plan/storage.h"
#include "core/plan/workspace.h"
#include "core/tensor/data_type.h"

namespace relu {
namespace {

struct QuantizeBuffers {
  std::size_t input = 0;
  std::size_t output = 0;
};

absl::Status NoStep(const Node& node) {
  return absl::UnimplementedError(
      fmt::format("{}: this form of the operator has no step", NodeText(node)));
}

bool IsByte(DataType type) {
  return type == DataType::kInt8 || type == DataType::kUint8;
}

// The integer nearest to `value` that T has; 0 for NaN.
template <typename T>
T Saturated(double value) {
  using Limits = std::numeric_limits<T>;
  if (std::isnan(value)) {
    return 0;
  }
  return static_cast<T>(std::clamp(value, static_cast<double>(Limits::min()),
                                   static_cast<double>(Limits::max())));
}

// Scale and zero point of each element of a row.
struct Parameters {
  std::vector<float> scales;
  std::vector<std::int32_t> zeros;

  std::size_t bytes() const {
    return scales.size() * (sizeof(float) + sizeof(std::int32_t));
  }
};

// T is the integer type.
template <typename T>
class QuantizeStep : public Step {
 public:
  QuantizeStep(Parameters parameters, const QuantizeBuffers& buffers)
      : parameters_(std::move(parameters)), buffers_(buffers) {}

  void Run(RowRange rows, Workspace& workspace) const override {
    const auto& [scales, zeros] = parameters_;
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const auto* input = workspace.Row<const float>(buffers_.input, row);
      T* output = workspace.Row<T>(buffers_.output, row);
      for (std::size_t i = 0; i < scales.size(); ++i) {
        const auto ratio = static_cast<double>(input[i] / scales[i]);
        output[i] = Saturated<T>(std::nearbyint(ratio) + zeros[i]);
      }
    }
  }

  std::string Describe() const override {
    return fmt::format("quantize {}", parameters_.scales.size());
  }

  std::size_t constant_bytes() const override { return parameters_.bytes(); }

 private:
  Parameters parameters_;
  QuantizeBuffers buffers_;
};

template <typename T>
class DequantizeStep : public Step {
 public:
  DequantizeStep(Parameters parameters, const QuantizeBuffers& buffers)
      : parameters_(std::move(parameters)), buffers_(buffers) {}

  void Run(RowRange rows, Workspace& workspace) const override {
    const auto& [scales, zeros] = parameters_;
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const T* input = workspace.Row<const T>(buffers_.input, row);
      auto* output = workspace.Row<float>(buffers_.output, row);
      for (std::size_t i = 0; i < scales.size(); ++i) {
        const double centred =
            static_cast<double>(input[i]) - static_cast<double>(zeros[i]);
        output[i] =
            static_cast<float>(centred * static_cast<double>(scales[i]));
      }
    }
  }

  std::string Describe() const override {
    return fmt::format("dequantize {}", parameters_.scales.size());
  }

  std::size_t constant_bytes() const override { return parameters_.bytes(); }

 private:
  Parameters parameters_;
  QuantizeBuffers buffers_;
};

bool IsConstant(const PlanBuilder& plan, ValueId id) {
  return plan.value(id).constant != nullptr;
}

bool HasInput(const Node& node, std::size_t index) {
  return index < node.inputs.size() && node.inputs[index] != kNoValue;
}

// Inputs 1 and 2 of QuantizeLinear and DequantizeLinear.
absl::StatusOr<Parameters> ReadParameters(const Node& node,
                                          const PlanBuilder& plan) {
  if (!IsConstant(plan, node.inputs[1]) ||
      (HasInput(node, 2) && !IsConstant(plan, node.inputs[2]))) {
    return NoStep(node);
  }
  const std::vector<double> scales =
      ToDoubles(*plan.value(node.inputs[1]).constant);
  const std::vector<std::int64_t> zeros =
      HasInput(node, 2) ? ToIntegers(*plan.value(node.inputs[2]).constant)
                        : std::vector<std::int64_t>(scales.size());
  const Value& value = plan.value(node.inputs[0]);
  const std::int64_t axis = IntAttribute(node, "axis");
  if (scales.size() != zeros.size() || (scales.size() != 1 && axis < 1)) {
    return NoStep(node);
  }
  const AxisSplit split =
      scales.size() == 1 ? AxisSplit{} : SplitRow(value, axis);
  Parameters parameters;
  for (std::size_t i = 0; i < RowElements(value); ++i) {
    const std::size_t place =
        scales.size() == 1 ? 0 : i / split.inner % split.size;
    parameters.scales.push_back(static_cast<float>(scales[place]));
    parameters.zeros.push_back(static_cast<std::int32_t>(zeros[place]));
  }
  return parameters;
}

template <template <typename> class StepOf, typename T>
void AddStep(const Node& node, Parameters parameters, PlanBuilder& plan) {
  const QuantizeBuffers buffers{.input = plan.BufferOf(node.inputs[0]),
                                .output = plan.Define(node.outputs[0])};
  plan.AddStep(std::make_unique<StepOf<T>>(std::move(parameters), buffers),
               {buffers.input, buffers.output});
}

// A product of matrices of bytes.
struct QuantizedProduct {
  std::size_t k = 0;
  std::size_t n = 0;
  std::size_t vectors_per_row = 1;
  std::int32_t zero = 0;              // Of the left side.
  std::vector<std::int16_t> weights;  // [k, n], less their zero points.
  // For QLinearMatMul: [n], and the zero point of the result.
  std::vector<double> factors;
  double result_zero = 0.0;
};

// Left has the elements of the left side; Result those of the result, or is
// std::int32_t for MatMulInteger.
template <typename Left, typename Result>
class IntegerProductStep : public Step {
 public:
  struct ProductBuffers {
    std::size_t input = 0;
    std::size_t sums = 0;  // One vector of n; the output if Result is a sum.
    std::size_t output = 0;
  };

  IntegerProductStep(QuantizedProduct product, const ProductBuffers& buffers)
      : product_(std::move(product)), buffers_(buffers) {}

  void Run(RowRange rows, Workspace& workspace) const override {
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const Left* input = workspace.Row<const Left>(buffers_.input, row);
      auto* output = workspace.Row<Result>(buffers_.output, row);
      for (std::size_t i = 0; i < product_.vectors_per_row; ++i) {
        if constexpr (std::is_same_v<Result, std::int32_t>) {
          Sum(input, output);
        } else {
          auto* sums = workspace.Row<std::int32_t>(buffers_.sums, row);
          Sum(input, sums);
          Scale(sums, output);
        }
        input += product_.k;
        output += product_.n;
      }
    }
  }

  std::string Describe() const override {
    return fmt::format("integer product {} -> {}", product_.k, product_.n);
  }

  std::size_t constant_bytes() const override {
    return product_.weights.size() * sizeof(std::int16_t) +
           product_.factors.size() * sizeof(double);
  }

 private:
  void Sum(const Left* input, std::int32_t* sums) const {
    std::fill_n(sums, product_.n, 0);
    for (std::size_t k = 0; k < product_.k; ++k) {
      // Without sign, so that an overflow is defined.
      const auto left =
          static_cast<std::uint32_t>(std::int32_t{input[k]} - product_.zero);
      const std::int16_t* weights = product_.weights.data() + k * product_.n;
      for (std::size_t j = 0; j < product_.n; ++j) {
        const auto right = static_cast<std::uint32_t>(weights[j]);
        sums[j] = static_cast<std::int32_t>(
            static_cast<std::uint32_t>(sums[j]) + left * right);
      }
    }
  }

  void Scale(const std::int32_t* sums, Result* output) const {
    for (std::size_t j = 0; j < product_.n; ++j) {
      const double scaled = static_cast<double>(sums[j]) * product_.factors[j];
      output[j] =
          Saturated<Result>(std::nearbyint(scaled) + product_.result_zero);
    }
  }

  QuantizedProduct product_;
  ProductBuffers buffers_;
};

// Where the inputs of the two operators are.
struct Inputs {
  std::size_t right = 1;
  std::size_t left_zero = 2;
  std::size_t right_zero = 3;
};

// Zero points: `count`, or one for all; zeros if they are left out.
std::vector<std::int64_t> ReadZeros(const Node& node, std::size_t index,
                                    const PlanBuilder& plan) {
  return HasInput(node, index)
             ? ToIntegers(*plan.value(node.inputs[index]).constant)
             : std::vector<std::int64_t>{0};
}

bool HasStep(const Node& node, const Inputs& inputs, const PlanBuilder& plan) {
  const Value& left = plan.value(node.inputs[0]);
  const Value& right = plan.value(node.inputs[inputs.right]);
  for (std::size_t i = 1; i < node.inputs.size(); ++i) {
    if (HasInput(node, i) && !IsConstant(plan, node.inputs[i])) {
      return false;
    }
  }
  return left.is_batched() && left.shape.size() >= 2 && IsByte(left.type) &&
         right.shape.size() == 2 && IsByte(right.type);
}

absl::StatusOr<QuantizedProduct> ReadProduct(const Node& node,
                                             const Inputs& inputs,
                                             const PlanBuilder& plan) {
  const Value& right = plan.value(node.inputs[inputs.right]);
  QuantizedProduct product;
  product.k = static_cast<std::size_t>(right.shape[0]);
  product.n = static_cast<std::size_t>(right.shape[1]);
  product.vectors_per_row =
      RowElements(plan.value(node.outputs[0])) / product.n;
  const std::vector<std::int64_t> left_zeros =
      ReadZeros(node, inputs.left_zero, plan);
  const std::vector<std::int64_t> zeros =
      ReadZeros(node, inputs.right_zero, plan);
  if (left_zeros.size() != 1 ||
      (zeros.size() != 1 && zeros.size() != product.n)) {
    return NoStep(node);
  }
  product.zero = static_cast<std::int32_t>(left_zeros[0]);
  const std::vector<std::int64_t> weights = ToIntegers(*right.constant);
  product.weights.reserve(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    product.weights.push_back(static_cast<std::int16_t>(
        weights[i] - zeros[i % product.n % zeros.size()]));
  }
  return product;
}

// The scales of QLinearMatMul.
absl::Status ReadFactors(const Node& node, const PlanBuilder& plan,
                         QuantizedProduct& product) {
  const auto read = [&](std::size_t index) {
    return ToDoubles(*plan.value(node.inputs[index]).constant);
  };
  const std::vector<double> left = read(1);
  const std::vector<double> right = read(4);
  if (left.size() != 1 || (right.size() != 1 && right.size() != product.n)) {
    return NoStep(node);
  }
  for (std::size_t j = 0; j < product.n; ++j) {
    product.factors.push_back(left[0] * right[j % right.size()] / read(6)[0]);
  }
  product.result_zero = read(7)[0];
  return absl::OkStatus();
}

template <typename Left, typename Result>
void AddProduct(const Node& node, QuantizedProduct product, PlanBuilder& plan) {
  using ProductStep = IntegerProductStep<Left, Result>;
  const std::size_t output = plan.Define(node.outputs[0]);
  const typename ProductStep::ProductBuffers buffers{
      .input = plan.BufferOf(node.inputs[0]),
      .sums = plan.AddBuffer(product.n * sizeof(std::int32_t)),
      .output = output};
  plan.AddStep(std::make_unique<ProductStep>(std::move(product), buffers),
               {buffers.input, buffers.sums, buffers.output});
}

template <typename Left>
void AddProductOf(const Node& node, QuantizedProduct product,
                  PlanBuilder& plan) {
  switch (plan.value(node.outputs[0]).type) {
    case DataType::kInt8:
      return AddProduct<Left, std::int8_t>(node, std::move(product), plan);
    case DataType::kUint8:
      return AddProduct<Left, std::uint8_t>(node, std::move(product), plan);
    default:
      return AddProduct<Left, std::int32_t>(node, std::move(product), plan);
  }
}

}  // namespace

absl::Status LowerQuantize(const Node& node, PlanBuilder& plan) {
  RETURN_IF_ERROR(RequireFloat(node, plan.value(node.inputs[0])));
  ASSIGN_OR_RETURN(Parameters parameters, ReadParameters(node, plan));
  switch (plan.value(node.outputs[0]).type) {
    case DataType::kInt8:
      AddStep<QuantizeStep, std::int8_t>(node, std::move(parameters), plan);
      return absl::OkStatus();
    case DataType::kUint8:
      AddStep<QuantizeStep, std::uint8_t>(node, std::move(parameters), plan);
      return absl::OkStatus();
    default:
      return NoStep(node);
  }
}

absl::Status LowerDequantize(const Node& node, PlanBuilder& plan) {
  RETURN_IF_ERROR(RequireFloat(node, plan.value(node.outputs[0])));
  ASSIGN_OR_RETURN(Parameters parameters, ReadParameters(node, plan));
  switch (plan.value(node.inputs[0]).type) {
    case DataType::kInt8:
      AddStep<DequantizeStep, std::int8_t>(node, std::move(parameters), plan);
      return absl::OkStatus();
    case DataType::kUint8:
      AddStep<DequantizeStep, std::uint8_t>(node, std::move(parameters), plan);
      return absl::OkStatus();
    case DataType::kInt32:
      AddStep<DequantizeStep, std::int32_t>(node, std::move(parameters), plan);
      return absl::OkStatus();
    default:
      return NoStep(node);
  }
}

absl::Status LowerIntegerProduct(const Node& node, PlanBuilder& plan) {
  const bool is_scaled = node.op == Operator::kQLinearMatMul;
  const Inputs inputs =
      is_scaled ? Inputs{.right = 3, .left_zero = 2, .right_zero = 5}
                : Inputs{};
  const DataType result = plan.value(node.outputs[0]).type;
  if (!HasStep(node, inputs, plan) || (is_scaled && !IsByte(result))) {
    return NoStep(node);
  }
  ASSIGN_OR_RETURN(QuantizedProduct product, ReadProduct(node, inputs, plan));
  if (is_scaled) {
    RETURN_IF_ERROR(ReadFactors(node, plan, product));
  }
  if (plan.value(node.inputs[0]).type == DataType::kInt8) {
    AddProductOf<std::int8_t>(node, std::move(product), plan);
  } else {
    AddProductOf<std::uint8_t>(node, std::move(product), plan);
  }
  return absl::OkStatus();
}

}  // namespace relu
