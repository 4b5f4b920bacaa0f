// BatchRunner: what an execution slot does with a batch: gather the rows of its
// requests, run the compiled model, scatter the results.

#ifndef CORE_BATCHING_BATCH_RUNNER_H_
#define CORE_BATCHING_BATCH_RUNNER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "core/batching/inference_request.h"
#include "core/metrics/compute_times.h"
#include "core/plan/compiled_model.h"
#include "core/plan/workspace.h"

namespace relu {

class ThreadTeam;

// Holds one Workspace for each slot. Different slots may run at the same time.
class BatchRunner {
 public:
  // `model` must outlive the runner. Up to `team_size` threads may share a
  // batch.
  BatchRunner(const CompiledModel& model, int slots,
              std::int64_t max_batch_rows, int team_size = 1);

  // Computes `batch`, at most max_batch_rows rows, on `slot`. A slice with a
  // row that has no answer gets INVALID_ARGUMENT; the other slices are not
  // affected. Shared among `team`, if that is not nullptr. Returns how long it
  // took, and adds that to each of the requests.
  ComputeTimes Run(int slot, std::span<BatchSlice> batch,
                   ThreadTeam* team = nullptr);

 private:
  const CompiledModel& model_;
  std::vector<Workspace> workspaces_;  // By slot.
};

}  // namespace relu

#endif  // CORE_BATCHING_BATCH_RUNNER_H_
