// ModelMetrics: the figures of one version of one model, counted where requests
// are served and read by /metrics and by ModelStatistics.

#ifndef CORE_METRICS_MODEL_METRICS_H_
#define CORE_METRICS_MODEL_METRICS_H_

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"

#include "core/base/mutex.h"
#include "core/metrics/activity_figures.h"
#include "core/metrics/compute_times.h"
#include "core/metrics/guarantee_metrics.h"
#include "core/metrics/reject_reason.h"
#include "core/metrics/sharded_counters.h"

namespace relu {

// The canonical status codes, OK to UNAUTHENTICATED, are 0 .. 16.
inline constexpr std::size_t kStatusCodes = 17;

// How many requests ended with each of them.
using StatusCounts = std::array<std::uint64_t, kStatusCodes>;

// The index of a code among them; that of UNKNOWN for a number that is none.
std::size_t StatusIndex(absl::StatusCode code);

// Upper bounds of the buckets of every histogram of times: 1 us (a tiny
// network) to 10 s (a client that waits in an overload).
inline constexpr std::array<std::chrono::nanoseconds, 22> kTimeBounds = {
    std::chrono::microseconds(1),   std::chrono::microseconds(2),
    std::chrono::microseconds(5),   std::chrono::microseconds(10),
    std::chrono::microseconds(20),  std::chrono::microseconds(50),
    std::chrono::microseconds(100), std::chrono::microseconds(200),
    std::chrono::microseconds(500), std::chrono::milliseconds(1),
    std::chrono::milliseconds(2),   std::chrono::milliseconds(5),
    std::chrono::milliseconds(10),  std::chrono::milliseconds(20),
    std::chrono::milliseconds(50),  std::chrono::milliseconds(100),
    std::chrono::milliseconds(200), std::chrono::milliseconds(500),
    std::chrono::seconds(1),        std::chrono::seconds(2),
    std::chrono::seconds(5),        std::chrono::seconds(10)};

// How often something happened, and the time it took in all.
struct TimeSum {
  std::uint64_t count = 0;
  std::chrono::nanoseconds sum{0};
};

// The same, with how often it took up to each of kTimeBounds, but longer than
// the bound before; the last: longer than all.
struct TimeHistogram {
  TimeSum total;
  std::array<std::uint64_t, kTimeBounds.size() + 1> counts = {};
};

// The times of one request that was answered.
struct RequestTimes {
  std::chrono::nanoseconds decode{0};  // Parse and check the message.
  std::chrono::nanoseconds queue{0};   // From the queue to the first batch.
  ComputeTimes compute = {};           // Of its batches, summed.
  std::chrono::nanoseconds encode{0};  // Make the bytes of the answer.
  // From its arrival to its answer, which is ready to be sent.
  std::chrono::nanoseconds total{0};
};

// What has been counted so far. Counts that belong together may differ by what
// happened while they were read.
struct ModelFigures {
  // Batches of so many rows.
  struct BatchSize {
    std::int64_t rows = 0;
    TimeSum input, infer, output;
  };

  StatusCounts requests = {};
  RejectCounts rejects = {};
  std::uint64_t rows = 0;           // Computed, in batches.
  std::uint64_t answered_rows = 0;  // Of requests that were answered.
  std::uint64_t batches = 0;
  std::int64_t requests_in_flight = 0;
  std::uint64_t queued_requests = 0;
  std::chrono::milliseconds last_request{0};  // Since the epoch; 0: none yet.
  // Of requests that were not answered.
  TimeSum failed;
  // Of requests that were answered: their batches' times, each in full.
  TimeSum compute_input, compute_infer, compute_output;
  // Of requests that were answered.
  TimeHistogram decode, queue, encode, request;
  // Of batches.
  TimeHistogram batch_input, batch_infer, batch_output;
  std::uint64_t explanations = 0;
  TimeHistogram explain;  // Of calls that gave some.
  GuaranteeFigures guarantees;
  std::uint64_t ranked_items = 0;
  TimeHistogram rank;  // Of calls that were answered.
  // Sizes that occurred, ascending.
  std::vector<BatchSize> batch_sizes;
  ActivityFigures activity;
};

// Thread-safe. Counting takes some additions to memory of the own CPU.
class ModelMetrics {
 public:
  // Batches have `max_batch_rows` rows at most.
  ModelMetrics(std::string model, std::string version,
               std::int64_t max_batch_rows, std::size_t shards);

  const std::string& model() const { return model_; }
  const std::string& version() const { return version_; }
  std::int64_t max_batch_rows() const { return max_batch_rows_; }

  // A batch was computed.
  void CountBatch(std::int64_t rows, const ComputeTimes& times);

  // A request has reached the model. One of the two below follows.
  void CountArrival();
  // It was answered.
  void CountAnswer(std::int64_t rows, const RequestTimes& times);
  // It was not; `code` is not OK.
  void CountFailure(absl::StatusCode code, RejectReason reason,
                    std::chrono::nanoseconds total);

  // A call of Explain was answered.
  void CountExplanations(std::size_t explanations,
                         std::chrono::nanoseconds total);

  // What checks of requests and answers find.
  GuaranteeMetrics& guarantees() { return guarantees_; }
  // A call of Rank was answered: beside CountAnswer(), since it is a request.
  void CountRank(std::int64_t items, std::chrono::nanoseconds total);

  // Requests that wait in the model's queue, as whoever knows it says.
  void SetQueuedRequests(std::uint64_t requests);
  // The same of the activity of its neurons.
  void SetActivity(ActivityFigures figures) ABSL_LOCKS_EXCLUDED(activity_mu_);

  ModelFigures Read() const ABSL_LOCKS_EXCLUDED(activity_mu_);

 private:
  void AddTime(ShardedCounters::Shard shard, std::size_t histogram,
               std::chrono::nanoseconds time);
  TimeHistogram ReadTimes(std::size_t histogram) const;

  const std::string model_;
  const std::string version_;
  const std::int64_t max_batch_rows_;
  ShardedCounters counters_;
  GuaranteeMetrics guarantees_;
  // Set at each scrape; nothing is published through it.
  std::atomic<std::uint64_t> queued_requests_ = 0;
  mutable Mutex activity_mu_;
  ActivityFigures activity_ ABSL_GUARDED_BY(activity_mu_);
};

}  // namespace relu

#endif  // CORE_METRICS_MODEL_METRICS_H_
