// The operators that quantize, as the interpreter runs them.

#ifndef CORE_GRAPH_EVALUATE_QUANTIZATION_H_
#define CORE_GRAPH_EVALUATE_QUANTIZATION_H_

#include "absl/status/status.h"

#include "core/graph/evaluation.h"

namespace relu {

// As OperatorDefinition::evaluate says.

// Halves go to even; what does not fit the type becomes its nearest.
absl::Status EvaluateQuantizeLinear(const Evaluation& run);
absl::Status EvaluateDequantizeLinear(const Evaluation& run);
absl::Status EvaluateDynamicQuantizeLinear(const Evaluation& run);

// `ratio` in steps, rounded to even, plus `zero_point`. Not yet in the range of
// the type: FromDoubles() sees to that.
double Quantize(double ratio, double zero_point);

}  // namespace relu

#endif  // CORE_GRAPH_EVALUATE_QUANTIZATION_H_
