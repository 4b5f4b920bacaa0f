#include "core/metrics/model_metrics.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"

#include "core/base/mutex.h"
#include "core/metrics/activity_figures.h"
#include "core/metrics/compute_times.h"
#include "core/metrics/reject_reason.h"
#include "core/metrics/sharded_counters.h"

namespace relu {
namespace {

using std::chrono::nanoseconds;

// Where each figure stands among the counters: first single ones, then
// histograms, then four for each size of a batch.
enum CounterIndex : std::size_t {
  kRequests = 0,  // By status code.
  kRejects = kRequests + kStatusCodes,
  kRows = kRejects + kRejectReasons,
  kAnsweredRows,
  kInFlight,
  kLastRequestMs,
  kFailedNs,
  kInputNs,
  kInferNs,
  kOutputNs,
  kExplanations,
  kRankedItems,
  kHistograms,
};

constexpr std::size_t kHistogramSize = kTimeBounds.size() + 2;  // With a sum.
constexpr std::size_t kSum = kTimeBounds.size() + 1;

enum HistogramIndex : std::size_t {
  kDecode = kHistograms,
  kQueue = kDecode + kHistogramSize,
  kEncode = kQueue + kHistogramSize,
  kRequest = kEncode + kHistogramSize,
  kBatchInput = kRequest + kHistogramSize,
  kBatchInfer = kBatchInput + kHistogramSize,
  kBatchOutput = kBatchInfer + kHistogramSize,
  kExplain = kBatchOutput + kHistogramSize,
  kRank = kExplain + kHistogramSize,
  kBatchSizes = kRank + kHistogramSize,
};

// Of one size of a batch.
enum BatchSizeIndex : std::size_t {
  kCount = 0,
  kSizeInputNs,
  kSizeInferNs,
  kSizeOutputNs,
  kBatchSizeCounters,
};

std::size_t OfBatchSize(std::int64_t rows) {
  return kBatchSizes + static_cast<std::size_t>(rows - 1) * kBatchSizeCounters;
}

// A clock that went back must not make a count of 600 years.
std::uint64_t Count(nanoseconds time) {
  return static_cast<std::uint64_t>(std::max(time, nanoseconds(0)).count());
}

nanoseconds Nanoseconds(std::uint64_t count) {
  return nanoseconds(static_cast<std::int64_t>(count));
}

// Milliseconds since the epoch. The kernel's last tick is near enough, and
// costs a quarter of what the clock does.
std::uint64_t RecentTimeMs() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

}  // namespace

std::size_t StatusIndex(absl::StatusCode code) {
  const auto index = static_cast<std::size_t>(code);
  return index < kStatusCodes
             ? index
             : static_cast<std::size_t>(absl::StatusCode::kUnknown);
}

ModelMetrics::ModelMetrics(std::string model, std::string version,
                           std::int64_t max_batch_rows, std::size_t shards)
    : model_(std::move(model)),
      version_(std::move(version)),
      max_batch_rows_(max_batch_rows),
      counters_(OfBatchSize(max_batch_rows + 1), shards) {}

void ModelMetrics::CountBatch(std::int64_t rows, const ComputeTimes& times) {
  ShardedCounters::Shard shard = counters_.Local();
  shard.Add(kRows, static_cast<std::uint64_t>(rows));
  AddTime(shard, kBatchInput, times.input);
  AddTime(shard, kBatchInfer, times.infer);
  AddTime(shard, kBatchOutput, times.output);
  const std::size_t size = OfBatchSize(std::min(rows, max_batch_rows_));
  shard.Add(size + kCount, 1);
  shard.Add(size + kSizeInputNs, Count(times.input));
  shard.Add(size + kSizeInferNs, Count(times.infer));
  shard.Add(size + kSizeOutputNs, Count(times.output));
}

void ModelMetrics::CountArrival() { counters_.Local().Add(kInFlight, 1); }

void ModelMetrics::CountAnswer(std::int64_t rows, const RequestTimes& times) {
  ShardedCounters::Shard shard = counters_.Local();
  shard.Add(kInFlight, ~std::uint64_t{0});  // -1
  shard.Add(kRequests + StatusIndex(absl::StatusCode::kOk), 1);
  shard.Add(kAnsweredRows, static_cast<std::uint64_t>(rows));
  shard.Add(kInputNs, Count(times.compute.input));
  shard.Add(kInferNs, Count(times.compute.infer));
  shard.Add(kOutputNs, Count(times.compute.output));
  AddTime(shard, kDecode, times.decode);
  AddTime(shard, kQueue, times.queue);
  AddTime(shard, kEncode, times.encode);
  AddTime(shard, kRequest, times.total);
  shard.Store(kLastRequestMs, RecentTimeMs());
}

void ModelMetrics::CountFailure(absl::StatusCode code, RejectReason reason,
                                nanoseconds total) {
  ShardedCounters::Shard shard = counters_.Local();
  shard.Add(kInFlight, ~std::uint64_t{0});  // -1
  shard.Add(kRequests + StatusIndex(code), 1);
  shard.Add(kRejects + static_cast<std::size_t>(reason), 1);
  shard.Add(kFailedNs, Count(total));
}

void ModelMetrics::CountExplanations(std::size_t explanations,
                                     nanoseconds total) {
  ShardedCounters::Shard shard = counters_.Local();
  shard.Add(kExplanations, explanations);
  AddTime(shard, kExplain, total);
}

void ModelMetrics::CountRank(std::int64_t items, nanoseconds total) {
  ShardedCounters::Shard shard = counters_.Local();
  shard.Add(kRankedItems, static_cast<std::uint64_t>(items));
  AddTime(shard, kRank, total);
}

void ModelMetrics::SetQueuedRequests(std::uint64_t requests) {
  queued_requests_.store(requests, std::memory_order_relaxed);
}

void ModelMetrics::AddTime(ShardedCounters::Shard shard, std::size_t histogram,
                           nanoseconds time) {
  const auto bucket = static_cast<std::size_t>(
      std::ranges::lower_bound(kTimeBounds, time) - kTimeBounds.begin());
  shard.Add(histogram + bucket, 1);
  shard.Add(histogram + kSum, Count(time));
}

TimeHistogram ModelMetrics::ReadTimes(std::size_t histogram) const {
  TimeHistogram times;
  for (std::size_t i = 0; i < times.counts.size(); ++i) {
    times.counts[i] = counters_.Sum(histogram + i);
    times.total.count += times.counts[i];
  }
  times.total.sum = Nanoseconds(counters_.Sum(histogram + kSum));
  return times;
}

void ModelMetrics::SetActivity(ActivityFigures figures) {
  const MutexLock lock(activity_mu_);
  activity_ = std::move(figures);
}

ModelFigures ModelMetrics::Read() const {
  ModelFigures figures;
  {
    const MutexLock lock(activity_mu_);
    figures.activity = activity_;
  }
  for (std::size_t code = 0; code < kStatusCodes; ++code) {
    figures.requests[code] = counters_.Sum(kRequests + code);
    figures.failed.count += code == 0 ? 0 : figures.requests[code];
  }
  for (std::size_t reason = 0; reason < kRejectReasons; ++reason) {
    figures.rejects[reason] = counters_.Sum(kRejects + reason);
  }
  const std::uint64_t answers = figures.requests[0];
  const auto sum_of = [this](std::size_t counter) {
    return Nanoseconds(counters_.Sum(counter));
  };
  figures.rows = counters_.Sum(kRows);
  figures.answered_rows = counters_.Sum(kAnsweredRows);
  figures.requests_in_flight = std::max<std::int64_t>(
      0, static_cast<std::int64_t>(counters_.Sum(kInFlight)));
  figures.queued_requests = queued_requests_.load(std::memory_order_relaxed);
  figures.last_request = std::chrono::milliseconds(
      static_cast<std::int64_t>(counters_.Max(kLastRequestMs)));
  figures.failed.sum = sum_of(kFailedNs);
  figures.compute_input = {answers, sum_of(kInputNs)};
  figures.compute_infer = {answers, sum_of(kInferNs)};
  figures.compute_output = {answers, sum_of(kOutputNs)};
  figures.decode = ReadTimes(kDecode);
  figures.queue = ReadTimes(kQueue);
  figures.encode = ReadTimes(kEncode);
  figures.request = ReadTimes(kRequest);
  figures.batch_input = ReadTimes(kBatchInput);
  figures.batch_infer = ReadTimes(kBatchInfer);
  figures.batch_output = ReadTimes(kBatchOutput);
  figures.explanations = counters_.Sum(kExplanations);
  figures.explain = ReadTimes(kExplain);
  figures.guarantees = guarantees_.Read();
  figures.ranked_items = counters_.Sum(kRankedItems);
  figures.rank = ReadTimes(kRank);
  for (std::int64_t rows = 1; rows <= max_batch_rows_; ++rows) {
    const std::size_t size = OfBatchSize(rows);
    const std::uint64_t count = counters_.Sum(size + kCount);
    if (count > 0) {
      figures.batches += count;
      figures.batch_sizes.push_back(
          {.rows = rows,
           .input = {count, sum_of(size + kSizeInputNs)},
           .infer = {count, sum_of(size + kSizeInferNs)},
           .output = {count, sum_of(size + kSizeOutputNs)}});
    }
  }
  return figures;
}

}  // namespace relu
