// NaN and infinity in the tensors of a request: how many, and in which rows.

#ifndef CORE_REPOSITORY_NONFINITE_ROWS_H_
#define CORE_REPOSITORY_NONFINITE_ROWS_H_

#include <cstdint>
#include <string>

#include "core/batching/inference_request.h"
#include "core/metrics/guarantee_metrics.h"
#include "core/plan/compiled_model.h"

namespace relu {

struct NonfiniteRows {
  // Of whole rows: a value that the rows share counts in each of them.
  NonfiniteCounts counts = {};
  // The same values where they are, once for all rows.
  std::int64_t shared_values = 0;
  // `"x": row 0, element 3 is nan`, of a value of all rows `"x": element 3,
  // which all rows share, is nan`. Elements count in the whole row.
  std::string first = {};
};

// Looks through what a request of `compiled` brings, as it lies in memory: no
// row is put together. Takes no memory if it finds nothing.
NonfiniteRows FindNonfiniteInputs(const CompiledModel& compiled,
                                  const InferenceRequest& request);

// The same of its answer, as far as it is wanted.
NonfiniteRows FindNonfiniteOutputs(const CompiledModel& compiled,
                                   const InferenceRequest& request);

}  // namespace relu

#endif  // CORE_REPOSITORY_NONFINITE_ROWS_H_
