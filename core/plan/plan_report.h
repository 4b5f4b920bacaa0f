// PlanReport: what a plan does, step by step, for people and tools.

#ifndef CORE_PLAN_PLAN_REPORT_H_
#define CORE_PLAN_PLAN_REPORT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/plan/zero_skip.h"
#include "core/tensor/shape.h"

namespace relu {

struct StepReport {
  std::string text;  // As Step::Describe() gives it.
  // Names of the graph's nodes that the step stands for, in order; none for
  // conversions at inputs and outputs.
  std::vector<std::string> nodes;
  // Of the value that the last of them computes.
  Shape row_shape;
  std::size_t constant_bytes = 0;
  std::int64_t parameters = 0;     // Weights and biases of a dense layer.
  std::int64_t multiply_adds = 0;  // Of a dense layer, for one row.
  // Of a dense layer, if it was measured; and the most inputs that are not zero
  // in one row for which it skips the others: 0, it never does.
  DenseCosts costs = {};
  std::size_t zero_skip_entries = 0;
};

struct PlanReport {
  std::vector<StepReport> steps;
  // Nodes that are another name for a buffer, or computed in place.
  std::vector<std::string> nodes_without_step;
};

}  // namespace relu

#endif  // CORE_PLAN_PLAN_REPORT_H_
