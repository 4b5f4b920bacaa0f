// What inference functions share: checks of operands, and their errors.

#ifndef CORE_GRAPH_INFERENCE_CHECKS_H_
#define CORE_GRAPH_INFERENCE_CHECKS_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/graph/graph.h"
#include "core/graph/operators.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"

namespace relu {

// INVALID_ARGUMENT and UNIMPLEMENTED, with the node's name before `reason`.
absl::Status Invalid(const InferenceContext& context, std::string_view reason);
absl::Status Unsupported(const InferenceContext& context,
                         std::string_view reason);

// Whether the node has input `index`.
bool HasInput(const InferenceContext& context, std::size_t index);

// UNIMPLEMENTED unless all inputs are floating-point numbers.
absl::Status CheckFloatingPoint(const InferenceContext& context);

// UNIMPLEMENTED if an input is BOOL.
absl::Status CheckNumbers(const InferenceContext& context);

// INVALID_ARGUMENT unless input `index` is BOOL.
absl::Status CheckBoolean(const InferenceContext& context, std::size_t index);

// INVALID_ARGUMENT unless all inputs have the type of the first.
absl::Status CheckSameType(const InferenceContext& context);

// Attribute "axis", counted from the front and written back so.
// INVALID_ARGUMENT unless it is one of 0 .. `size` - 1 after that; negative
// ones count from `rank`.
absl::StatusOr<std::size_t> NormalizeAxis(InferenceContext& context,
                                          std::size_t rank, std::size_t size);
absl::StatusOr<std::size_t> NormalizeAxis(InferenceContext& context,
                                          std::size_t rank);

// `axes`, counted from the front, in order. INVALID_ARGUMENT unless they are
// different dimensions of `rank`.
absl::StatusOr<std::vector<std::int64_t>> NormalizeAxes(
    const InferenceContext& context, std::vector<std::int64_t> axes,
    std::size_t rank);

// Stands for the number of rows among the elements that KnownIntegers() gives:
// a number that means nothing else in any file, unlike the lowest itself.
inline constexpr std::int64_t kRowCount =
    std::numeric_limits<std::int64_t>::min() + (std::int64_t{1} << 20U);

// The elements of input `index`, which must be known (UNIMPLEMENTED) and INT64
// or INT32 (INVALID_ARGUMENT): a constant, or computed from nothing but sizes.
absl::StatusOr<std::vector<std::int64_t>> KnownIntegers(
    const InferenceContext& context, std::size_t index);

// The same, and none of them may be the number of rows (UNIMPLEMENTED).
absl::StatusOr<std::vector<std::int64_t>> ConstantIntegers(
    const InferenceContext& context, std::size_t index);

// What older opsets give as attribute `name` and newer ones as input `index`,
// which is then taken off the node with all behind it. nullopt: neither.
absl::StatusOr<std::optional<std::vector<std::int64_t>>> IntegersGiven(
    InferenceContext& context, std::string_view name, std::size_t index);

// Drops the inputs from `count` on: they are attributes now.
void KeepInputs(InferenceContext& context, std::size_t count);

// The shape that inputs `first` and all behind it, or these two shapes,
// broadcast to. INVALID_ARGUMENT if they do not; UNIMPLEMENTED if the batch
// meets a fixed size.
absl::StatusOr<Shape> BroadcastInputs(const InferenceContext& context,
                                      std::size_t first = 0);
absl::StatusOr<Shape> BroadcastShapes(const InferenceContext& context,
                                      const Shape& a, const Shape& b);

// INVALID_ARGUMENT unless input `index` broadcasts to `shape` as it is.
absl::Status CheckBroadcastsTo(const InferenceContext& context,
                               std::size_t index, const Shape& shape);

// 'input "x", FP32 [-1,4]', for messages.
std::string ValueText(const Value& value);

}  // namespace relu

#endif  // CORE_GRAPH_INFERENCE_CHECKS_H_
