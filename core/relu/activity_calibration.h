// Makes an ActivityBaseline from rows that are as they should be.

#ifndef CORE_RELU_ACTIVITY_CALIBRATION_H_
#define CORE_RELU_ACTIVITY_CALIBRATION_H_

#include <cstdint>
#include <span>

#include "absl/status/statusor.h"

#include "core/plan/compiled_model.h"
#include "core/relu/activity_baseline.h"
#include "core/tensor/tensor.h"

namespace relu {

struct CalibrationOptions {
  std::int64_t window_rows = 256;
  // The part of windows of clean rows that are to be called drift.
  double false_alarm_rate = 0.01;
};

// `inputs` are those of the model, in its order, with the rows first.
//
// Thresholds are what clean rows give: again and again a window of rows, drawn
// without replacement, is scored against the rows that are left. (Neurons are
// correlated, so no chi-squared table has the thresholds; and a window that is
// scored against rows that include it looks closer than new rows are.) All
// scores together are beyond their thresholds in false_alarm_rate of the
// windows. The same rows give the same baseline.
//
// Errors:
//   UNIMPLEMENTED        the rows of the model depend on each other
//   INVALID_ARGUMENT     fewer than two windows of rows, a row with an input
//                        that is infinite or NaN or without an answer, or an
//                        option out of range
//   RESOURCE_EXHAUSTED   it would take more than 2 GiB: use fewer rows
absl::StatusOr<ActivityBaseline> Calibrate(const CompiledModel& model,
                                           std::span<const Tensor> inputs,
                                           const CalibrationOptions& options);

}  // namespace relu

#endif  // CORE_RELU_ACTIVITY_CALIBRATION_H_
