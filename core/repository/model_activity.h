// ModelActivity: looks at some of the rows that a model serves, and keeps what
// its neurons and inputs did.

#ifndef CORE_REPOSITORY_MODEL_ACTIVITY_H_
#define CORE_REPOSITORY_MODEL_ACTIVITY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/base/thread_annotations.h"

#include "core/base/mutex.h"
#include "core/batching/inference_request.h"
#include "core/metrics/activity_figures.h"
#include "core/plan/compiled_model.h"
#include "core/relu/activity_baseline.h"
#include "core/relu/activity_counts.h"
#include "core/relu/activity_drift.h"

namespace relu {

struct ActivityOptions {
  // Choose so that looks take less than 1 % of the network's own time.
  static constexpr std::int64_t kChoose = -1;

  // One row of so many is looked at; 0: none, kChoose: SampleEvery().
  std::int64_t sample_every = kChoose;
  // What to compare with; its windows are those that are scored.
  std::optional<ActivityBaseline> baseline = std::nullopt;
};

// Of so many rows one may be looked at, for less than 1 % of the time that the
// network takes for all of them. Odd, so that batches of an even size do not
// have the same place looked at again and again.
std::int64_t SampleEvery(const CompiledModel& model);

// What was seen until now.
struct ActivityReport {
  explicit ActivityReport(const CompiledModel& model)
      : total(model), window(model) {}

  std::int64_t sample_every = 0;
  std::int64_t window_rows = 0;
  std::uint64_t skipped_rows = 0;  // Not looked at: too many came at once.
  std::uint64_t windows = 0;       // Completed.
  std::uint64_t drifted_windows = 0;
  ActivityCounts total;  // Since the model was loaded.
  // The last window that was completed; without rows if none was.
  ActivityCounts window;
  // Of that, if there is a baseline.
  std::optional<DriftScores> scores;
};

// Rows are copied while their batch is served, and run once more, sixteen at a
// time, after answers were sent: every `sample_every`-th row of each execution
// slot, in the order in which its batches took them. No answer changes by it.
// Thread-safe, but for Sample() with the same slot.
class ModelActivity : public std::enable_shared_from_this<ModelActivity> {
 public:
  // `model` outlives Close(). The baseline fits it. `slots` is of the
  // scheduler.
  ModelActivity(const CompiledModel& model, ActivityOptions options,
                int slots = 1);

  // False: no row is looked at, and Read() must not be called.
  bool enabled() const { return every_ > 0; }
  std::int64_t sample_every() const { return every_; }
  const CompiledModel& model() const { return model_; }
  const std::optional<ActivityBaseline>& baseline() const {
    return options_.baseline;
  }

  // Copies what is to be looked at of a batch of `rows` rows that was computed,
  // and whose requests were not answered yet. It has `slot` to itself. Most
  // batches take no lock and change no memory that other slots use.
  void Sample(int slot, std::int64_t rows, std::span<const BatchSlice> batch)
      ABSL_LOCKS_EXCLUDED(mu_) {
    std::int64_t& rows_ahead =
        slots_[static_cast<std::size_t>(slot)].rows_ahead;
    if (rows_ahead >= rows) {
      rows_ahead -= rows;
    } else {
      rows_ahead = CopySome(rows_ahead, batch);
    }
  }

  // Runs what batches of this thread have copied. For threads that serve, when
  // answers are on their way; where nobody calls it, Sample() does the same,
  // only later.
  static void ProcessDue();

  // Everything that was copied until now is in it.
  ActivityReport Read() ABSL_LOCKS_EXCLUDED(mu_);
  // The same as figures for metrics; none if it is not enabled.
  ActivityFigures Figures() ABSL_LOCKS_EXCLUDED(mu_);

  // The model is about to go: from its return on, nothing runs.
  void Close() ABSL_LOCKS_EXCLUDED(mu_);

  // The memory that it takes for such a model, at such a rate.
  static std::size_t BytesFor(const CompiledModel& model,
                              std::int64_t sample_every);

 private:
  // Rows that were copied, by input.
  struct Rows {
    std::int64_t count = 0;
    std::vector<std::vector<std::byte>> inputs;
  };

  // On a cache line of its own.
  struct alignas(64) Slot {
    // Before the next one to look at.
    std::int64_t rows_ahead = 0;
  };

  // Copies every `every_`-th row of the batch from row `next` on. Returns which
  // one is next, counted from the end of the batch.
  std::int64_t CopySome(std::int64_t next, std::span<const BatchSlice> batch)
      ABSL_LOCKS_EXCLUDED(mu_);
  void Copy(const BatchSlice& slice, std::int64_t row) ABSL_LOCKS_EXCLUDED(mu_);
  // Runs what has been copied; nothing if another thread is at it, unless this
  // one waits for that first.
  enum class Waiting : std::uint8_t { kForNobody, kForOthers };
  void Process(Waiting waiting) ABSL_LOCKS_EXCLUDED(mu_);
  // Rows first .. of running_, as many as fit the window and the pass; returns
  // how many.
  std::int64_t RunSome(std::int64_t first, std::int64_t window_left);
  void Merge() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void FinishWindow() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const CompiledModel& model_;
  const ActivityOptions options_;
  const std::int64_t every_;  // 0: not enabled.
  const std::int64_t window_rows_;
  std::vector<Slot> slots_;

  // Of the thread that has set processing_, under the lock.
  std::optional<ActivityPass> pass_;
  Rows running_;
  std::optional<ActivityCounts> counted_;
  std::vector<const std::byte*> pointers_;

  mutable Mutex mu_;
  CondVar idle_;  // processing_ is false again.
  bool processing_ ABSL_GUARDED_BY(mu_) = false;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  bool due_ ABSL_GUARDED_BY(mu_) = false;  // Some thread will ProcessDue().
  Rows waiting_ ABSL_GUARDED_BY(mu_);
  std::optional<ActivityReport> report_ ABSL_GUARDED_BY(mu_);
  std::optional<ActivityCounts> window_ ABSL_GUARDED_BY(mu_);  // Not complete.
};

}  // namespace relu

#endif  // CORE_REPOSITORY_MODEL_ACTIVITY_H_
