#include "core/graph/layout_inference.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/inference_checks.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"

namespace relu {
namespace {

// The sizes of the parts of a Split over an axis of `size` elements, where the
// node does not give them: equal, but for the last.
absl::StatusOr<std::vector<std::int64_t>> EqualParts(
    const InferenceContext& context, std::int64_t size) {
  const std::int64_t given = IntAttribute(context.node, "num_outputs");
  const auto parts = static_cast<std::int64_t>(context.outputs);
  if (given != 0 && given != parts) {
    return Invalid(
        context, fmt::format("num_outputs is {}, but it has {}", given, parts));
  }
  const std::int64_t part = size / parts + (size % parts == 0 ? 0 : 1);
  const std::int64_t last = size - part * (parts - 1);
  if (last < 0 || (given == 0 && last != part)) {
    return Invalid(context,
                   fmt::format("{} elements in {} equal parts", size, parts));
  }
  std::vector<std::int64_t> sizes(context.outputs, part);
  sizes.back() = last;
  return sizes;
}

// One dimension of a Slice: what the node says, then what that means.
struct Range {
  std::int64_t start = 0;
  std::int64_t end = 0;
  std::int64_t step = 1;
};

// Brings `range` into a dimension of `size` elements; the result is how many it
// takes.
std::int64_t ClampRange(std::int64_t size, Range& range) {
  if (size == 0) {
    range.start = 0;
    return 0;
  }
  // Backwards, the first element is the last that a range can begin with, and
  // it ends before it.
  const bool forwards = range.step > 0;
  const std::int64_t highest = forwards ? size : size - 1;
  const auto clamp = [&](std::int64_t place, std::int64_t lowest) {
    return std::clamp(place < 0 ? place + size : place, lowest, highest);
  };
  range.start = clamp(range.start, 0);
  range.end = clamp(range.end, forwards ? 0 : -1);
  const std::int64_t distance = range.end - range.start;
  if (distance == 0 || (distance < 0) != (range.step < 0)) {
    range.start = 0;
    return 0;
  }
  // Of numbers with the same sign; rounded away from zero.
  return distance / range.step + (distance % range.step == 0 ? 0 : 1);
}

// Whether `range` takes all rows, however many there are.
bool TakesAll(const Range& range) {
  return range.step == 1 && range.start == 0 &&
         range.end >= std::numeric_limits<std::int32_t>::max();
}

// Attribute or input of a Slice; nothing if it is left out.
absl::StatusOr<std::vector<std::int64_t>> SliceIntegers(
    const InferenceContext& context, std::string_view name, std::size_t index) {
  if (context.opset < 10) {
    return IntsAttribute(context.node, name);
  }
  if (!HasInput(context, index)) {
    return std::vector<std::int64_t>();
  }
  return KnownIntegers(context, index);
}

// The ranges of a Slice, by dimension of its input.
absl::StatusOr<std::vector<Range>> ReadRanges(const InferenceContext& context) {
  const std::size_t rank = context.inputs[0]->shape.size();
  ASSIGN_OR_RETURN(const auto starts, SliceIntegers(context, "starts", 1));
  ASSIGN_OR_RETURN(const auto ends, SliceIntegers(context, "ends", 2));
  ASSIGN_OR_RETURN(auto axes, SliceIntegers(context, "axes", 3));
  ASSIGN_OR_RETURN(auto steps, context.opset < 10
                                   ? std::vector<std::int64_t>()
                                   : SliceIntegers(context, "steps", 4));
  if (axes.empty()) {
    axes.resize(starts.size());
    std::iota(axes.begin(), axes.end(), std::int64_t{0});
  }
  if (steps.empty()) {
    steps.assign(starts.size(), 1);
  }
  if (ends.size() != starts.size() || axes.size() != starts.size() ||
      steps.size() != starts.size() || starts.size() > rank) {
    return Invalid(context,
                   fmt::format("{} starts, {} ends, {} axes and {} steps for "
                               "{}, wanted as many of each",
                               starts.size(), ends.size(), axes.size(),
                               steps.size(), ValueText(*context.inputs[0])));
  }
  RETURN_IF_ERROR(NormalizeAxes(context, axes, rank).status());
  std::vector<Range> ranges(
      rank, {.start = 0, .end = std::numeric_limits<std::int64_t>::max()});
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t axis =
        axes[i] + (axes[i] < 0 ? static_cast<std::int64_t>(rank) : 0);
    if (steps[i] == 0) {
      return Invalid(context, "a step is 0");
    }
    // The number of rows as an end is all of them; no start may be that.
    ranges[static_cast<std::size_t>(axis)] = {
        .start = starts[i],
        .end = ends[i] == kRowCount ? std::numeric_limits<std::int64_t>::max()
                                    : ends[i],
        .step = steps[i]};
    if (starts[i] == kRowCount || steps[i] == kRowCount ||
        (ends[i] == kRowCount &&
         context.inputs[0]->shape[static_cast<std::size_t>(axis)] !=
             kBatchDim)) {
      return Unsupported(context,
                         "takes as many elements as there are rows; "
                         "export with fixed sizes");
    }
  }
  return ranges;
}

}  // namespace

absl::StatusOr<OutputTypes> InferConcat(InferenceContext& context) {
  RETURN_IF_ERROR(CheckSameType(context));
  const Value& first = *context.inputs[0];
  Shape shape = first.shape;
  ASSIGN_OR_RETURN(const std::size_t axis,
                   NormalizeAxis(context, shape.size()));
  shape[axis] = 0;
  for (const Value* input : context.inputs) {
    Shape others = input->shape;
    if (others.size() == shape.size()) {
      others[axis] = shape[axis];
    }
    if (others != shape) {
      return Invalid(context,
                     fmt::format("{} and {}, wanted the same sizes "
                                 "but for axis {}",
                                 ValueText(first), ValueText(*input), axis));
    }
    if (input->shape[axis] == kBatchDim && context.inputs.size() > 1) {
      return Unsupported(context,
                         fmt::format("{} along axis {}: joins rows, so that "
                                     "their number would change",
                                     ValueText(*input), axis));
    }
    shape[axis] = input->shape[axis] == kBatchDim
                      ? kBatchDim
                      : shape[axis] + input->shape[axis];
  }
  return OutputTypes{{first.type, shape}};
}

absl::StatusOr<OutputTypes> InferExpand(InferenceContext& context) {
  const Value& input = *context.inputs[0];
  ASSIGN_OR_RETURN(Shape wanted, KnownIntegers(context, 1));
  if (wanted.size() > kMaxRank) {
    return Unsupported(context, fmt::format("{} dimensions, the most is {}",
                                            wanted.size(), kMaxRank));
  }
  for (std::int64_t& size : wanted) {
    // Some exporters write -1 for "as it is", as in PyTorch.
    size = size == kRowCount ? kBatchDim : size == -1 ? 1 : size;
    if (size < 0 && size != kBatchDim) {
      return Invalid(context, fmt::format("target shape {}, wanted sizes",
                                          ShapeText(wanted)));
    }
  }
  if (input.is_batched() && wanted.size() == input.shape.size() &&
      wanted[0] == context.fixed_rows) {
    wanted[0] = kBatchDim;
  }
  ASSIGN_OR_RETURN(Shape shape, BroadcastShapes(context, input.shape, wanted));
  KeepInputs(context, 1);
  return OutputTypes{{input.type, shape}};
}

absl::StatusOr<OutputTypes> InferGather(InferenceContext& context) {
  const Value& data = *context.inputs[0];
  const Value& indices = *context.inputs[1];
  ASSIGN_OR_RETURN(const std::size_t axis,
                   NormalizeAxis(context, data.shape.size()));
  if (indices.type != DataType::kInt32 && indices.type != DataType::kInt64) {
    return Invalid(context, fmt::format("indices, {}, wanted INT32 or INT64",
                                        ValueText(indices)));
  }
  const std::int64_t size = data.shape[axis];
  if (indices.constant != nullptr && size != kBatchDim) {
    ASSIGN_OR_RETURN(const auto positions, ConstantIntegers(context, 1));
    for (const std::int64_t position : positions) {
      if (position < -size || position >= size) {
        return Invalid(context, fmt::format("index {} into axis {} of {}, "
                                            "wanted {} to {}",
                                            position, axis, ValueText(data),
                                            -size, size - 1));
      }
    }
  }
  const auto place = static_cast<std::ptrdiff_t>(axis);
  Shape shape(data.shape.begin(), data.shape.begin() + place);
  shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
  shape.insert(shape.end(), data.shape.begin() + place + 1, data.shape.end());
  return OutputTypes{{data.type, shape}};
}

absl::StatusOr<OutputTypes> InferSlice(InferenceContext& context) {
  const Value& input = *context.inputs[0];
  ASSIGN_OR_RETURN(std::vector<Range> ranges, ReadRanges(context));
  Shape shape;
  std::vector<std::int64_t> starts;
  std::vector<std::int64_t> steps;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (input.shape[i] != kBatchDim) {
      shape.push_back(ClampRange(input.shape[i], ranges[i]));
    } else if (TakesAll(ranges[i])) {
      shape.push_back(kBatchDim);
    } else {
      return Unsupported(context,
                         fmt::format("takes some of the rows of {}, wanted all "
                                     "of them",
                                     ValueText(input)));
    }
    starts.push_back(ranges[i].start);
    steps.push_back(ranges[i].step);
  }
  context.node.attributes["starts"] = std::move(starts);
  context.node.attributes["steps"] = std::move(steps);
  KeepInputs(context, 1);
  return OutputTypes{{input.type, shape}};
}

absl::StatusOr<OutputTypes> InferSplit(InferenceContext& context) {
  const Value& input = *context.inputs[0];
  ASSIGN_OR_RETURN(const std::size_t axis,
                   NormalizeAxis(context, input.shape.size()));
  const std::int64_t size = input.shape[axis];
  ASSIGN_OR_RETURN(std::optional<std::vector<std::int64_t>> parts,
                   IntegersGiven(context, "split", 1));
  if (size == kBatchDim) {
    return Unsupported(context,
                       fmt::format("splits the batch of {}", ValueText(input)));
  }
  if (!parts) {
    ASSIGN_OR_RETURN(parts, EqualParts(context, size));
  }
  std::int64_t left = size;
  for (const std::int64_t part : *parts) {
    left = part < 0 || part > left ? -1 : left - part;
  }
  if (left != 0 || parts->size() != context.outputs) {
    return Invalid(context,
                   fmt::format("parts of {} for {} outputs, wanted as many "
                               "that make up the {} of axis {}",
                               ShapeText(*parts), context.outputs, size, axis));
  }
  OutputTypes types;
  for (const std::int64_t part : *parts) {
    types.push_back({input.type, input.shape});
    types.back().shape[axis] = part;
  }
  context.node.attributes["split"] = *std::move(parts);
  return types;
}

absl::StatusOr<OutputTypes> InferTranspose(InferenceContext& context) {
  const Value& input = *context.inputs[0];
  const std::size_t rank = input.shape.size();
  std::vector<std::int64_t> order = IntsAttribute(context.node, "perm");
  if (order.empty()) {
    order.resize(rank);
    std::iota(order.rbegin(), order.rend(), std::int64_t{0});
  }
  std::vector<std::int64_t> identity(rank);
  std::iota(identity.begin(), identity.end(), std::int64_t{0});
  if (!std::ranges::is_permutation(order, identity)) {
    return Invalid(context, fmt::format("perm has {} dimensions, wanted an "
                                        "order of the {} of {}",
                                        order.size(), rank, ValueText(input)));
  }
  Shape shape;
  for (const std::int64_t dimension : order) {
    shape.push_back(input.shape[static_cast<std::size_t>(dimension)]);
  }
  context.node.attributes["perm"] = std::move(order);
  return OutputTypes{{input.type, shape}};
}

}  // namespace relu
