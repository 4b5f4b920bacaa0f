#include "core/graph/reduction_inference.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/elements.h"
#include "core/graph/inference_checks.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"

namespace relu {
namespace {

// `shape` without the dimensions `axes`, or with 1 in their place.
Shape ReducedShape(const Shape& shape, const std::vector<std::int64_t>& axes,
                   bool keep) {
  Shape reduced;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool is_reduced =
        std::ranges::find(axes, static_cast<std::int64_t>(i)) != axes.end();
    if (!is_reduced || keep) {
      reduced.push_back(is_reduced ? 1 : shape[i]);
    }
  }
  return reduced;
}

// How many elements a TopK takes.
absl::StatusOr<std::int64_t> ReadK(InferenceContext& context) {
  if (context.opset < 10) {
    return IntAttribute(context.node, "k");
  }
  if (!HasInput(context, 1)) {
    return Invalid(context, "has no K");
  }
  ASSIGN_OR_RETURN(const auto given, ConstantIntegers(context, 1));
  if (given.size() != 1) {
    return Invalid(context, fmt::format("K, {}, wanted one element",
                                        ValueText(*context.inputs[1])));
  }
  return given[0];
}

}  // namespace

absl::StatusOr<OutputTypes> InferArgMax(InferenceContext& context) {
  RETURN_IF_ERROR(CheckNumbers(context));
  const Value& input = *context.inputs[0];
  ASSIGN_OR_RETURN(const std::size_t axis,
                   NormalizeAxis(context, input.shape.size()));
  if (input.shape[axis] == 0) {
    return Invalid(context, fmt::format("{} has nothing to choose from",
                                        ValueText(input)));
  }
  const bool keep = IntAttribute(context.node, "keepdims") != 0;
  return OutputTypes{
      {DataType::kInt64,
       ReducedShape(input.shape, {static_cast<std::int64_t>(axis)}, keep)}};
}

absl::StatusOr<OutputTypes> InferReduction(InferenceContext& context) {
  RETURN_IF_ERROR(CheckNumbers(context));
  const Value& input = *context.inputs[0];
  const std::size_t rank = input.shape.size();
  ASSIGN_OR_RETURN(std::optional<std::vector<std::int64_t>> axes,
                   IntegersGiven(context, "axes", 1));
  if (!axes || axes->empty()) {
    const bool none = IntAttribute(context.node, "noop_with_empty_axes") != 0;
    axes.emplace(none ? 0 : rank);
    std::iota(axes->begin(), axes->end(), std::int64_t{0});
  }
  ASSIGN_OR_RETURN(*axes, NormalizeAxes(context, *std::move(axes), rank));
  const bool keep = IntAttribute(context.node, "keepdims") != 0;
  const Shape shape = ReducedShape(input.shape, *axes, keep);
  const bool needs_elements = context.node.op == Operator::kReduceMax ||
                              context.node.op == Operator::kReduceMin ||
                              context.node.op == Operator::kReduceMean;
  if (needs_elements && ElementCount(input.shape) == 0) {
    return Invalid(context,
                   fmt::format("{} has no elements", ValueText(input)));
  }
  context.node.attributes["axes"] = *std::move(axes);
  return OutputTypes{{input.type, shape}};
}

absl::StatusOr<OutputTypes> InferTopK(InferenceContext& context) {
  const Value& input = *context.inputs[0];
  if (input.type == DataType::kBool) {
    return Unsupported(context,
                       fmt::format("{}, wanted numbers", ValueText(input)));
  }
  ASSIGN_OR_RETURN(const std::int64_t k, ReadK(context));
  KeepInputs(context, 1);
  ASSIGN_OR_RETURN(const std::size_t axis,
                   NormalizeAxis(context, input.shape.size()));
  const std::int64_t size = input.shape[axis];
  if (size == kBatchDim) {
    return Unsupported(context,
                       fmt::format("goes along the batch of {}, which may have "
                                   "fewer rows than K = {}",
                                   ValueText(input), k));
  }
  if (k < 0 || k > size) {
    return Invalid(context, fmt::format("K = {}, wanted 0 to {}", k, size));
  }
  Shape shape = input.shape;
  shape[axis] = k;
  context.node.attributes["k"] = k;
  return OutputTypes{{input.type, shape}, {DataType::kInt64, shape}};
}

absl::StatusOr<OutputTypes> InferBatchNormalization(InferenceContext& context) {
  RETURN_IF_ERROR(CheckFloatingPoint(context));
  const Value& x = *context.inputs[0];
  if (IntAttribute(context.node, "training_mode") != 0 || context.outputs > 1) {
    return Unsupported(context, "is in training mode; export for inference");
  }
  if (x.shape.empty()) {
    return Invalid(context, fmt::format("{}, wanted no scalar", ValueText(x)));
  }
  // One parameter a channel; before opset 9 maybe one for each element of a
  // row.
  Shape wanted{x.shape.size() == 1 ? 1 : x.shape[1]};
  if (IntAttribute(context.node, "spatial") == 0) {
    wanted = Shape(x.shape.begin() + 1, x.shape.end());
  }
  for (std::size_t i = 1; i < context.inputs.size(); ++i) {
    if (context.inputs[i]->shape != wanted) {
      return Invalid(context, fmt::format("{}, wanted shape {}",
                                          ValueText(*context.inputs[i]),
                                          ShapeText(wanted)));
    }
  }
  return OutputTypes{{x.type, x.shape}};
}

absl::StatusOr<OutputTypes> InferLayerNormalization(InferenceContext& context) {
  RETURN_IF_ERROR(CheckFloatingPoint(context));
  const Value& x = *context.inputs[0];
  ASSIGN_OR_RETURN(const std::size_t axis,
                   NormalizeAxis(context, x.shape.size()));
  for (std::size_t i = 1; i < context.inputs.size(); ++i) {
    if (HasInput(context, i)) {
      RETURN_IF_ERROR(CheckBroadcastsTo(context, i, x.shape));
    }
  }
  if (const std::int64_t type = IntAttribute(context.node, "stash_type");
      type != 1) {
    return Unsupported(context,
                       fmt::format("stash_type {}, wanted 1 (float)", type));
  }
  Shape statistics = x.shape;
  std::fill(statistics.begin() + static_cast<std::ptrdiff_t>(axis),
            statistics.end(), 1);
  return OutputTypes{{x.type, x.shape},
                     {DataType::kFp32, statistics},
                     {DataType::kFp32, statistics}};
}

}  // namespace relu
