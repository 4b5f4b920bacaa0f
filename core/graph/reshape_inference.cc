#include "core/graph/reshape_inference.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
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

// A product of sizes: a number times the number of rows to a power.
struct Extent {
  std::int64_t count = 1;
  std::size_t batches = 0;
};

Extent ExtentOf(std::span<const std::int64_t> sizes) {
  Extent extent;
  for (const std::int64_t size : sizes) {
    if (size == kBatchDim) {
      ++extent.batches;
    } else {
      extent.count *= size;
    }
  }
  return extent;
}

// An extent as one size; nullopt if it is more than the rows alone.
std::optional<std::int64_t> SizeOf(const Extent& extent) {
  if (extent.batches == 0) {
    return extent.count;
  }
  return extent.batches == 1 && extent.count == 1 ? std::optional(kBatchDim)
                                                  : std::nullopt;
}

// What stands in a target shape for "the size that is left". (The batch has
// the -1 of ONNX in our shapes.)
constexpr std::int64_t kOpen = kRowCount + 1;

// The target shape of a Reshape as the node gives it, with kOpen and kBatchDim;
// zeros are replaced if they stand for sizes of the input.
absl::StatusOr<Shape> WantedShape(const InferenceContext& context) {
  const bool is_input = HasInput(context, 1);
  if (!is_input && context.opset >= 5) {
    return Invalid(context, "has no shape to reshape to");
  }
  ASSIGN_OR_RETURN(Shape wanted, is_input
                                     ? KnownIntegers(context, 1)
                                     : IntsAttribute(context.node, "shape"));
  if (wanted.size() > kMaxRank) {
    return Unsupported(context,
                       fmt::format("a target shape of {} dimensions, the most "
                                   "is {}",
                                   wanted.size(), kMaxRank));
  }
  const Value& input = *context.inputs[0];
  const bool copies = IntAttribute(context.node, "allowzero") == 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == kRowCount) {
      wanted[i] = kBatchDim;
    } else if (wanted[i] == -1) {
      wanted[i] = kOpen;
    } else if (wanted[i] < 0 ||
               (wanted[i] == 0 && copies && i >= input.shape.size())) {
      return Invalid(context, fmt::format("target shape {} for {}, wanted "
                                          "sizes and at most one -1",
                                          ShapeText(wanted), ValueText(input)));
    } else if (wanted[i] == 0 && copies) {
      wanted[i] = input.shape[i];
    }
  }
  if (std::ranges::count(wanted, kOpen) > 1) {
    return Invalid(context, "the target shape has more than one -1");
  }
  return wanted;
}

// Where the file fixes the number of rows, a first size of that number is the
// batch if the rest takes exactly one row.
void FindFixedRows(const InferenceContext& context, Shape& wanted) {
  if (wanted.empty() || wanted[0] != context.fixed_rows ||
      !context.inputs[0]->is_batched()) {
    return;
  }
  const Extent row = ExtentOf(std::span(context.inputs[0]->shape).subspan(1));
  const std::span<const std::int64_t> rest = std::span(wanted).subspan(1);
  const bool is_open = std::ranges::find(rest, kOpen) != rest.end();
  Extent others;
  for (const std::int64_t size : rest) {
    others.count *= size == kOpen ? 1 : size;
  }
  if (is_open || others.count == row.count) {
    wanted[0] = kBatchDim;
  }
}

// Replaces kOpen so that the sizes multiply to `total`; false if they cannot.
bool FillOpenSize(Shape& shape, const Extent& total) {
  const auto open = std::ranges::find(shape, kOpen);
  if (open != shape.end()) {
    *open = 1;
    const Extent others = ExtentOf(shape);
    if (others.count == 0 || total.count % others.count != 0 ||
        others.batches > total.batches) {
      return false;
    }
    const std::optional<std::int64_t> size =
        SizeOf({.count = total.count / others.count,
                .batches = total.batches - others.batches});
    if (!size) {
      return false;
    }
    *open = *size;
  }
  const Extent extent = ExtentOf(shape);
  return extent.count == total.count && extent.batches == total.batches;
}

bool Overflows(std::span<const std::int64_t> sizes) {
  std::vector<std::int64_t> known;
  for (const std::int64_t size : sizes) {
    known.push_back(std::max<std::int64_t>(size, 1));
  }
  return !ElementCount(known);
}

}  // namespace

bool IsReshape(Operator op) {
  return op == Operator::kReshape || op == Operator::kFlatten ||
         op == Operator::kSqueeze || op == Operator::kUnsqueeze;
}

absl::StatusOr<OutputTypes> InferFlatten(InferenceContext& context) {
  const Value& input = *context.inputs[0];
  const std::size_t rank = input.shape.size();
  ASSIGN_OR_RETURN(const std::size_t axis,
                   NormalizeAxis(context, rank, /*size=*/rank + 1));
  const std::span<const std::int64_t> sizes(input.shape);
  const auto outer = SizeOf(ExtentOf(sizes.first(axis)));
  const auto inner = SizeOf(ExtentOf(sizes.subspan(axis)));
  if (!outer || !inner) {
    return Unsupported(context,
                       fmt::format("{} at axis {}: a size would be a multiple "
                                   "of the rows; flatten behind the batch",
                                   ValueText(input), axis));
  }
  return OutputTypes{{input.type, {*outer, *inner}}};
}

absl::StatusOr<OutputTypes> InferReshape(InferenceContext& context) {
  const Value& input = *context.inputs[0];
  ASSIGN_OR_RETURN(Shape shape, WantedShape(context));
  if (Overflows(shape)) {
    return Invalid(context, "the sizes of the target shape overflow");
  }
  FindFixedRows(context, shape);
  const Extent total = ExtentOf(input.shape);
  const Shape wanted = shape;
  if (!FillOpenSize(shape, total)) {
    Shape text = wanted;
    std::ranges::replace(text, kOpen, std::int64_t{-1});
    return total.batches == 0
               ? Invalid(context,
                         fmt::format("{} cannot have shape {}",
                                     ValueText(input), ShapeText(text)))
               : Unsupported(
                     context,
                     fmt::format("{} to shape {}, wanted one that keeps the "
                                 "batch as a dimension of its own, such as "
                                 "[-1,{}]",
                                 ValueText(input), ShapeText(text),
                                 total.count));
  }
  KeepInputs(context, 1);
  return OutputTypes{{input.type, shape}};
}

absl::StatusOr<OutputTypes> InferSqueeze(InferenceContext& context) {
  const Value& input = *context.inputs[0];
  const std::size_t rank = input.shape.size();
  ASSIGN_OR_RETURN(std::optional<std::vector<std::int64_t>> axes,
                   IntegersGiven(context, "axes", 1));
  if (!axes) {
    axes.emplace();
    for (std::size_t i = 0; i < rank; ++i) {
      if (input.shape[i] == 1) {
        axes->push_back(static_cast<std::int64_t>(i));
      }
    }
  }
  ASSIGN_OR_RETURN(*axes, NormalizeAxes(context, *std::move(axes), rank));
  Shape shape;
  for (std::size_t i = 0; i < rank; ++i) {
    if (std::ranges::find(*axes, static_cast<std::int64_t>(i)) == axes->end()) {
      shape.push_back(input.shape[i]);
    } else if (input.shape[i] != 1) {
      return Invalid(context, fmt::format("axis {} of {}, wanted one of size 1",
                                          i, ValueText(input)));
    }
  }
  return OutputTypes{{input.type, shape}};
}

absl::StatusOr<OutputTypes> InferUnsqueeze(InferenceContext& context) {
  const Value& input = *context.inputs[0];
  ASSIGN_OR_RETURN(std::optional<std::vector<std::int64_t>> given,
                   IntegersGiven(context, "axes", 1));
  if (!given) {
    return Invalid(context, "has no axes");
  }
  const std::size_t rank = input.shape.size() + given->size();
  if (rank > kMaxRank) {
    return Unsupported(
        context, fmt::format("{} dimensions, the most is {}", rank, kMaxRank));
  }
  ASSIGN_OR_RETURN(const std::vector<std::int64_t> axes,
                   NormalizeAxes(context, *std::move(given), rank));
  Shape shape = input.shape;
  for (const std::int64_t axis : axes) {
    shape.insert(shape.begin() + axis, 1);
  }
  return OutputTypes{{input.type, shape}};
}

absl::StatusOr<OutputTypes> InferShape(InferenceContext& context) {
  const auto rank = static_cast<std::int64_t>(context.inputs[0]->shape.size());
  const auto clamp = [rank](std::int64_t place) {
    return std::clamp<std::int64_t>(place < 0 ? place + rank : place, 0, rank);
  };
  const std::int64_t end = IntAttribute(context.node, "end");
  const std::int64_t from = clamp(IntAttribute(context.node, "start"));
  const std::int64_t to = end == kUnsetAttribute ? rank : clamp(end);
  context.node.attributes["start"] = from;
  context.node.attributes["end"] = std::max(from, to);
  return OutputTypes{{DataType::kInt64, {std::max(from, to) - from}}};
}

absl::StatusOr<OutputTypes> InferSize(InferenceContext&) {
  return OutputTypes{{DataType::kInt64, {}}};
}

}  // namespace relu
