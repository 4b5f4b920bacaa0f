// The steps of QuantizeLinear, DequantizeLinear, MatMulInteger and
// QLinearMatMul. Integers are exact.

#ifndef CORE_PLAN_QUANTIZE_STEP_H_
#define CORE_PLAN_QUANTIZE_STEP_H_

#include "absl/status/status.h"

#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"

namespace relu {

// x / scale, a float32 quotient rounded to the nearest integer, ties to even,
// plus the zero point, kept within the range of the type. NaN becomes 0.
// Errors: UNIMPLEMENTED unless scale and zero point are constants and the
// result is INT8 or UINT8.
absl::Status LowerQuantize(const Node& node, PlanBuilder& plan);

// (x - zero point) * scale, rounded once. Errors: UNIMPLEMENTED unless scale
// and zero point are constants and x is INT8, UINT8 or INT32.
absl::Status LowerDequantize(const Node& node, PlanBuilder& plan);

// A computed matrix times a constant one, both of INT8 or UINT8, with constant
// zero points (one for the left, one or one a column for the right): sums of
// INT32, which wrap around. For QLinearMatMul each sum is scaled in double,
// rounded, and kept within the range of the result. Errors: UNIMPLEMENTED for
// other forms.
absl::Status LowerIntegerProduct(const Node& node, PlanBuilder& plan);

}  // namespace relu

#endif  // CORE_PLAN_QUANTIZE_STEP_H_
