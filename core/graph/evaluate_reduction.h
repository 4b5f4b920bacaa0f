// The operators that make one value, or a few, of many along some axes, as the
// interpreter runs them.

#ifndef CORE_GRAPH_EVALUATE_REDUCTION_H_
#define CORE_GRAPH_EVALUATE_REDUCTION_H_

#include "absl/status/status.h"

#include "core/graph/evaluation.h"

namespace relu {

// As OperatorDefinition::evaluate says.

// ArgMax, ArgMin: the first of equals, or the last if "select_last_index". NaN
// is found before all numbers.
absl::Status EvaluateArgMax(const Evaluation& run);
// ReduceMax, ReduceMean, ReduceMin, ReduceProd, ReduceSum: in the order of the
// elements. NaN wins over all.
absl::Status EvaluateReduction(const Evaluation& run);
// Of equals the lower place first. NaN is the greatest.
absl::Status EvaluateTopK(const Evaluation& run);

}  // namespace relu

#endif  // CORE_GRAPH_EVALUATE_REDUCTION_H_
