#include "core/graph/shape_inference.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/elements.h"
#include "core/graph/inference_checks.h"
#include "core/graph/onnx_tensor.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"

namespace relu {
namespace {

// Makes a constant floating-point bound of a Clip the attribute `name`: the
// nearest float32, as which plans compute the value that it bounds.
void FoldBound(InferenceContext& context, std::string_view name,
               std::size_t index) {
  if (!HasInput(context, index) || context.inputs[index]->constant == nullptr ||
      !IsFloatingPoint(context.inputs[index]->type)) {
    return;
  }
  const double bound = ToDoubles(*context.inputs[index]->constant)[0];
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const bool is_beyond =
      std::abs(bound) > double{std::numeric_limits<float>::max()};
  context.node.attributes[std::string(name)] =
      is_beyond ? (bound < 0.0 ? -kInfinity : kInfinity)
                : static_cast<float>(bound);
  context.node.inputs[index] = kNoValue;
}

// Integers are not scaled by fractions.
absl::Status CheckGemmScale(const InferenceContext& context) {
  const bool is_scaled = FloatAttribute(context.node, "alpha") != 1.0F ||
                         FloatAttribute(context.node, "beta") != 1.0F;
  return is_scaled ? CheckFloatingPoint(context) : absl::OkStatus();
}

absl::Status CheckGemmBias(const InferenceContext& context,
                           const Shape& product) {
  return HasInput(context, 2) ? CheckBroadcastsTo(context, 2, product)
                              : absl::OkStatus();
}

}  // namespace

absl::StatusOr<OutputTypes> InferActivation(InferenceContext& context) {
  RETURN_IF_ERROR(CheckFloatingPoint(context));
  return OutputTypes{{context.inputs[0]->type, context.inputs[0]->shape}};
}

absl::StatusOr<OutputTypes> InferUnary(InferenceContext& context) {
  RETURN_IF_ERROR(CheckNumbers(context));
  return OutputTypes{{context.inputs[0]->type, context.inputs[0]->shape}};
}

absl::StatusOr<OutputTypes> InferArithmetic(InferenceContext& context) {
  RETURN_IF_ERROR(CheckSameType(context));
  RETURN_IF_ERROR(CheckNumbers(context));
  ASSIGN_OR_RETURN(Shape shape, BroadcastInputs(context));
  return OutputTypes{{context.inputs[0]->type, shape}};
}

absl::StatusOr<OutputTypes> InferPow(InferenceContext& context) {
  RETURN_IF_ERROR(CheckNumbers(context));
  ASSIGN_OR_RETURN(Shape shape, BroadcastInputs(context));
  return OutputTypes{{context.inputs[0]->type, shape}};
}

absl::StatusOr<OutputTypes> InferPRelu(InferenceContext& context) {
  RETURN_IF_ERROR(CheckSameType(context));
  RETURN_IF_ERROR(CheckNumbers(context));
  constexpr std::int64_t kFirstBroadcasting = 7;
  if (context.opset < kFirstBroadcasting &&
      ElementCount(context.inputs[1]->shape) != 1) {
    return Unsupported(
        context, fmt::format("{} by channels, as opset {} has it; export with "
                             "opset 7 or later",
                             ValueText(*context.inputs[1]), context.opset));
  }
  const Shape& shape = context.inputs[0]->shape;
  RETURN_IF_ERROR(CheckBroadcastsTo(context, 1, shape));
  return OutputTypes{{context.inputs[0]->type, shape}};
}

absl::StatusOr<OutputTypes> InferClip(InferenceContext& context) {
  RETURN_IF_ERROR(CheckSameType(context));
  RETURN_IF_ERROR(CheckNumbers(context));
  for (const std::size_t index : {std::size_t{1}, std::size_t{2}}) {
    if (HasInput(context, index) &&
        ElementCount(context.inputs[index]->shape) != 1) {
      return Invalid(context, fmt::format("{}, wanted one bound for all",
                                          ValueText(*context.inputs[index])));
    }
  }
  if (context.opset >= 11) {
    // Left out since then means no bound; before, the largest float.
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    context.node.attributes["min"] = -kInfinity;
    context.node.attributes["max"] = kInfinity;
  }
  FoldBound(context, "min", 1);
  FoldBound(context, "max", 2);
  std::vector<ValueId>& inputs = context.node.inputs;
  while (inputs.back() == kNoValue) {
    inputs.pop_back();
  }
  return OutputTypes{{context.inputs[0]->type, context.inputs[0]->shape}};
}

absl::StatusOr<OutputTypes> InferGelu(InferenceContext& context) {
  const auto& form =
      std::get<std::string>(context.node.attributes.at("approximate"));
  if (form != "none" && form != "tanh") {
    return Invalid(context, fmt::format("approximate is \"{}\", wanted "
                                        "\"none\" or \"tanh\"",
                                        form));
  }
  return InferActivation(context);
}

absl::StatusOr<OutputTypes> InferComparison(InferenceContext& context) {
  RETURN_IF_ERROR(CheckSameType(context));
  if (context.node.op != Operator::kEqual) {
    RETURN_IF_ERROR(CheckNumbers(context));
  }
  ASSIGN_OR_RETURN(Shape shape, BroadcastInputs(context));
  return OutputTypes{{DataType::kBool, shape}};
}

absl::StatusOr<OutputTypes> InferLogic(InferenceContext& context) {
  for (std::size_t i = 0; i < context.inputs.size(); ++i) {
    RETURN_IF_ERROR(CheckBoolean(context, i));
  }
  ASSIGN_OR_RETURN(Shape shape, BroadcastInputs(context));
  return OutputTypes{{DataType::kBool, shape}};
}

absl::StatusOr<OutputTypes> InferWhere(InferenceContext& context) {
  RETURN_IF_ERROR(CheckBoolean(context, 0));
  const DataType type = context.inputs[1]->type;
  if (context.inputs[2]->type != type) {
    return Invalid(context, fmt::format("{} and {}, wanted one type",
                                        ValueText(*context.inputs[1]),
                                        ValueText(*context.inputs[2])));
  }
  ASSIGN_OR_RETURN(Shape shape, BroadcastInputs(context));
  return OutputTypes{{type, shape}};
}

absl::StatusOr<OutputTypes> InferCast(InferenceContext& context) {
  const std::int64_t number = IntAttribute(context.node, "to");
  const std::optional<DataType> type = DataTypeFromOnnx(number);
  if (!type) {
    return Unsupported(
        context, fmt::format("ONNX element type {} is not supported", number));
  }
  context.node.attributes["to"] = static_cast<std::int64_t>(*type);
  return OutputTypes{{*type, context.inputs[0]->shape}};
}

absl::StatusOr<OutputTypes> InferGemm(InferenceContext& context) {
  RETURN_IF_ERROR(CheckSameType(context));
  RETURN_IF_ERROR(CheckNumbers(context));
  RETURN_IF_ERROR(CheckGemmScale(context));
  const Value& a = *context.inputs[0];
  const Value& b = *context.inputs[1];
  if (a.shape.size() != 2 || b.shape.size() != 2) {
    return Invalid(context, fmt::format("{} and {}, wanted two matrices",
                                        ValueText(a), ValueText(b)));
  }
  const bool transposed_a = IntAttribute(context.node, "transA") != 0;
  const bool transposed_b = IntAttribute(context.node, "transB") != 0;
  const std::int64_t k = a.shape[transposed_a ? 0 : 1];
  if (b.shape[transposed_b ? 1 : 0] != k) {
    return Invalid(
        context,
        fmt::format("{} and {} (transA = {}, transB = {}), wanted {} rows of "
                    "weights",
                    ValueText(a), ValueText(b), transposed_a ? 1 : 0,
                    transposed_b ? 1 : 0, k));
  }
  const Shape shape{a.shape[transposed_a ? 1 : 0],
                    b.shape[transposed_b ? 0 : 1]};
  RETURN_IF_ERROR(CheckGemmBias(context, shape));
  return OutputTypes{{a.type, shape}};
}

absl::StatusOr<Shape> InferProduct(const InferenceContext& context,
                                   std::size_t left, std::size_t right) {
  const Value& x = *context.inputs[left];
  const Value& y = *context.inputs[right];
  Shape a = x.shape;
  Shape b = y.shape;
  if (a.empty() || b.empty()) {
    return Invalid(context, fmt::format("{} and {}, wanted no scalar",
                                        ValueText(x), ValueText(y)));
  }
  // A vector is a matrix of one row on the left, of one column on the right.
  const bool left_vector = a.size() == 1;
  const bool right_vector = b.size() == 1;
  if (left_vector) {
    a.insert(a.begin(), 1);
  }
  if (right_vector) {
    b.push_back(1);
  }
  if (a.back() != b[b.size() - 2]) {
    return Invalid(context, fmt::format("{} and {}, wanted {} rows of weights",
                                        ValueText(x), ValueText(y), a.back()));
  }
  ASSIGN_OR_RETURN(Shape shape,
                   BroadcastShapes(context, Shape(a.begin(), a.end() - 2),
                                   Shape(b.begin(), b.end() - 2)));
  if (!left_vector) {
    shape.push_back(a[a.size() - 2]);
  }
  if (!right_vector) {
    shape.push_back(b.back());
  }
  return shape;
}

absl::StatusOr<OutputTypes> InferMatMul(InferenceContext& context) {
  RETURN_IF_ERROR(CheckSameType(context));
  RETURN_IF_ERROR(CheckNumbers(context));
  ASSIGN_OR_RETURN(Shape shape, InferProduct(context, 0, 1));
  return OutputTypes{{context.inputs[0]->type, shape}};
}

absl::StatusOr<OutputTypes> InferSoftmax(InferenceContext& context) {
  RETURN_IF_ERROR(CheckFloatingPoint(context));
  const Value& input = *context.inputs[0];
  const bool flatten = context.opset < 13;
  if (IntAttribute(context.node, "axis") == kUnsetAttribute) {
    context.node.attributes["axis"] = std::int64_t{flatten ? 1 : -1};
  }
  RETURN_IF_ERROR(NormalizeAxis(context, input.shape.size()).status());
  context.node.attributes["flatten"] = std::int64_t{flatten ? 1 : 0};
  return OutputTypes{{input.type, input.shape}};
}

}  // namespace relu
