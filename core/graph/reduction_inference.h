// Types and shapes of the results of operators that make one value, or a few,
// of many: reductions, the greatest and the least, statistics.

#ifndef CORE_GRAPH_REDUCTION_INFERENCE_H_
#define CORE_GRAPH_REDUCTION_INFERENCE_H_

#include "absl/status/statusor.h"

#include "core/graph/operators.h"

namespace relu {

// As OperatorDefinition::infer says.

// ArgMax, ArgMin.
absl::StatusOr<OutputTypes> InferArgMax(InferenceContext& context);
// ReduceMax, ReduceMean, ReduceMin, ReduceProd, ReduceSum.
absl::StatusOr<OutputTypes> InferReduction(InferenceContext& context);
absl::StatusOr<OutputTypes> InferTopK(InferenceContext& context);
absl::StatusOr<OutputTypes> InferBatchNormalization(InferenceContext& context);
absl::StatusOr<OutputTypes> InferLayerNormalization(InferenceContext& context);

}  // namespace relu

#endif  // CORE_GRAPH_REDUCTION_INFERENCE_H_
