// SelfCheck: proof at load that a compiled plan computes what its graph says.

#ifndef CORE_PLAN_SELF_CHECK_H_
#define CORE_PLAN_SELF_CHECK_H_

#include "absl/status/status.h"

#include "core/graph/graph.h"
#include "core/plan/compiled_model.h"

namespace relu {

// Runs `model` and the plain interpreter of its `graph` on the same few random
// rows (a fixed seed) and compares. Integers must be equal; floats may differ
// by 1e-5 of the output's largest value (at least of 1), or 2e-2 and 2e-1 of it
// where the graph, or the plan its weights, rounds to FP16 and BF16. What
// differs by more is measured against the network itself: it is good if inputs
// and weights that differ in their last bits move the interpreter's own answer
// as far (a near tie of ArgMax, a network that amplifies every error).
// INTERNAL, naming the output and both values, if they differ.
//
// Integer inputs are small: 1 and 2, or 0 where the graph has no answer for
// these. A graph that has none for 0 either is not checked.
absl::Status SelfCheck(const Graph& graph, const CompiledModel& model);

}  // namespace relu

#endif  // CORE_PLAN_SELF_CHECK_H_
