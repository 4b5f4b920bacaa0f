// What inference functions share: checks of operands, and their errors.

#ifndef CORE_GRAPH_INFERENCE_CHECKS_H_
#define CORE_GRAPH_INFERENCE_CHECKS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/graph/graph.h"
#include "core/graph/operators.h"

namespace relu {

// INVALID_ARGUMENT and UNIMPLEMENTED, with the node's name before `reason`.
absl::Status Invalid(const InferenceContext& context, std::string_view reason);
absl::Status Unsupported(const InferenceContext& context,
                         std::string_view reason);

// UNIMPLEMENTED: rows would mix.
absl::Status MixesRows(const InferenceContext& context);

// UNIMPLEMENTED unless all inputs are floating-point numbers.
absl::Status CheckFloatingPoint(const InferenceContext& context);

// INVALID_ARGUMENT unless all inputs have the type of the first.
absl::Status CheckSameType(const InferenceContext& context);

// Attribute "axis", counted from the front and written back so.
// INVALID_ARGUMENT unless it is one of 0 .. `size` - 1 after that; negative
// ones count from `rank`.
absl::StatusOr<std::size_t> NormalizeAxis(InferenceContext& context,
                                          std::size_t rank, std::size_t size);
absl::StatusOr<std::size_t> NormalizeAxis(InferenceContext& context,
                                          std::size_t rank);

// The elements of input `index`, which must be a constant (UNIMPLEMENTED) of
// INT64 or INT32 (INVALID_ARGUMENT).
absl::StatusOr<std::vector<std::int64_t>> ConstantIntegers(
    const InferenceContext& context, std::size_t index);

// 'input "x", FP32 [-1,4]', for messages.
std::string ValueText(const Value& value);

}  // namespace relu

#endif  // CORE_GRAPH_INFERENCE_CHECKS_H_
