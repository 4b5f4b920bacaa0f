#include "core/metrics/model_metrics.h"

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/metrics/compute_times.h"
#include "core/metrics/reject_reason.h"

namespace relu {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

class ModelMetricsTest : public testing::Test {
 protected:
  ModelMetrics metrics_{"m", "3", /*max_batch_rows=*/4, /*shards=*/2};
};

TEST_F(ModelMetricsTest, NamesAreThoseGiven) {
  EXPECT_EQ(metrics_.model(), "m");
  EXPECT_EQ(metrics_.version(), "3");
  EXPECT_EQ(metrics_.max_batch_rows(), 4);
}

TEST_F(ModelMetricsTest, NothingIsCountedAtFirst) {
  const ModelFigures figures = metrics_.Read();

  EXPECT_THAT(figures.requests, testing::Each(0U));
  EXPECT_EQ(figures.rows + figures.answered_rows + figures.batches, 0U);
  EXPECT_EQ(figures.request.total.count, 0U);
  EXPECT_EQ(figures.last_request.count(), 0);
  EXPECT_TRUE(figures.batch_sizes.empty());
}

TEST_F(ModelMetricsTest, BatchesAreCountedBySize) {
  const ComputeTimes times = {.input = nanoseconds(1),
                              .infer = nanoseconds(20),
                              .output = nanoseconds(300)};
  metrics_.CountBatch(1, times);
  metrics_.CountBatch(4, times);
  metrics_.CountBatch(4, times);

  const ModelFigures figures = metrics_.Read();
  EXPECT_EQ(figures.batches, 3U);
  EXPECT_EQ(figures.rows, 9U);
  ASSERT_EQ(figures.batch_sizes.size(), 2U);
  EXPECT_EQ(figures.batch_sizes[0].rows, 1);
  EXPECT_EQ(figures.batch_sizes[0].infer.count, 1U);
  EXPECT_EQ(figures.batch_sizes[1].rows, 4);
  EXPECT_EQ(figures.batch_sizes[1].input.count, 2U);
  EXPECT_EQ(figures.batch_sizes[1].input.sum, nanoseconds(2));
  EXPECT_EQ(figures.batch_sizes[1].infer.sum, nanoseconds(40));
  EXPECT_EQ(figures.batch_sizes[1].output.sum, nanoseconds(600));
  EXPECT_EQ(figures.batch_infer.total.count, 3U);
  EXPECT_EQ(figures.batch_infer.total.sum, nanoseconds(60));
}

TEST_F(ModelMetricsTest, AnswersAreCountedWithEachOfTheirTimes) {
  metrics_.CountArrival();
  metrics_.CountAnswer(3, {.decode = microseconds(1),
                           .queue = microseconds(2),
                           .compute = {.input = microseconds(3),
                                       .infer = microseconds(4),
                                       .output = microseconds(5)},
                           .encode = microseconds(6),
                           .total = microseconds(70)});

  const ModelFigures figures = metrics_.Read();
  EXPECT_EQ(figures.requests[0], 1U);
  EXPECT_EQ(figures.answered_rows, 3U);
  EXPECT_EQ(figures.failed.count, 0U);
  EXPECT_EQ(figures.decode.total.sum, microseconds(1));
  EXPECT_EQ(figures.queue.total.sum, microseconds(2));
  EXPECT_EQ(figures.compute_input.count, 1U);
  EXPECT_EQ(figures.compute_input.sum, microseconds(3));
  EXPECT_EQ(figures.compute_infer.sum, microseconds(4));
  EXPECT_EQ(figures.compute_output.sum, microseconds(5));
  EXPECT_EQ(figures.encode.total.sum, microseconds(6));
  EXPECT_EQ(figures.request.total.count, 1U);
  EXPECT_EQ(figures.request.total.sum, microseconds(70));
  // 2020 is in the past.
  EXPECT_GT(figures.last_request.count(), 1'577'000'000'000);
}

TEST_F(ModelMetricsTest, FailuresAreCountedByCode) {
  metrics_.CountFailure(absl::StatusCode::kCancelled, RejectReason::kExpired,
                        microseconds(10));
  metrics_.CountFailure(absl::StatusCode::kCancelled, RejectReason::kExpired,
                        microseconds(20));
  metrics_.CountFailure(absl::StatusCode::kUnauthenticated,
                        RejectReason::kAccess, microseconds(30));

  const ModelFigures figures = metrics_.Read();
  EXPECT_EQ(figures.requests[StatusIndex(absl::StatusCode::kCancelled)], 2U);
  EXPECT_EQ(figures.requests[StatusIndex(absl::StatusCode::kUnauthenticated)],
            1U);
  EXPECT_EQ(figures.failed.count, 3U);
  EXPECT_EQ(figures.failed.sum, microseconds(60));
  EXPECT_EQ(figures.request.total.count, 0U);
}

TEST_F(ModelMetricsTest, RejectsAreCountedByReason) {
  for (const RejectReason reason :
       {RejectReason::kQueueTime, RejectReason::kDeadline,
        RejectReason::kQueueTime}) {
    metrics_.CountFailure(absl::StatusCode::kUnavailable, reason, {});
  }

  const RejectCounts rejects = metrics_.Read().rejects;
  EXPECT_EQ(rejects[static_cast<std::size_t>(RejectReason::kQueueTime)], 2U);
  EXPECT_EQ(rejects[static_cast<std::size_t>(RejectReason::kDeadline)], 1U);
  EXPECT_EQ(rejects[static_cast<std::size_t>(RejectReason::kCancelled)], 0U);
}

TEST_F(ModelMetricsTest, CodesThatAreNoneAreUnknown) {
  const std::size_t unknown = StatusIndex(absl::StatusCode::kUnknown);
  EXPECT_EQ(StatusIndex(static_cast<absl::StatusCode>(99)), unknown);
  EXPECT_EQ(StatusIndex(static_cast<absl::StatusCode>(-1)), unknown);
  EXPECT_EQ(StatusIndex(absl::StatusCode::kUnauthenticated), kStatusCodes - 1);
}

TEST_F(ModelMetricsTest, RequestsInFlightAreThoseNeitherAnsweredNorFailed) {
  for (int i = 0; i < 5; ++i) {
    metrics_.CountArrival();
  }
  metrics_.CountAnswer(1, {});
  metrics_.CountFailure(absl::StatusCode::kInternal, RejectReason::kNone, {});

  EXPECT_EQ(metrics_.Read().requests_in_flight, 3);
}

TEST_F(ModelMetricsTest, QueuedRequestsAreTheLastNumberSet) {
  metrics_.SetQueuedRequests(9);
  metrics_.SetQueuedRequests(7);

  EXPECT_EQ(metrics_.Read().queued_requests, 7U);
}

TEST_F(ModelMetricsTest, RankedItemsAreCountedBesideRequests) {
  metrics_.CountRank(512, std::chrono::microseconds(20));
  metrics_.CountRank(3, std::chrono::microseconds(5));
  const ModelFigures figures = metrics_.Read();
  EXPECT_EQ(figures.ranked_items, 515U);
  EXPECT_EQ(figures.rank.total.count, 2U);
  EXPECT_EQ(figures.rank.total.sum, std::chrono::microseconds(25));
  EXPECT_EQ(figures.requests[0], 0U);
}

TEST_F(ModelMetricsTest, ExplanationsAreCountedApartFromRequests) {
  metrics_.CountExplanations(3, std::chrono::microseconds(20));
  metrics_.CountExplanations(1, std::chrono::microseconds(5));
  const ModelFigures figures = metrics_.Read();
  EXPECT_EQ(figures.explanations, 4U);
  EXPECT_EQ(figures.explain.total.count, 2U);
  EXPECT_EQ(figures.explain.total.sum, std::chrono::microseconds(25));
  EXPECT_EQ(figures.requests[0], 0U);
  EXPECT_TRUE(figures.batch_sizes.empty());
}

TEST_F(ModelMetricsTest, BoundOfABucketBelongsToIt) {
  metrics_.CountAnswer(1, {.queue = microseconds(1)});
  metrics_.CountAnswer(1, {.queue = nanoseconds(1001)});
  metrics_.CountAnswer(1, {.queue = std::chrono::seconds(10)});
  metrics_.CountAnswer(1, {.queue = std::chrono::seconds(11)});
  metrics_.CountAnswer(1, {.queue = nanoseconds(-5)});

  const TimeHistogram queue = metrics_.Read().queue;
  EXPECT_EQ(queue.counts[0], 2U);  // 1 us, and what cannot be.
  EXPECT_EQ(queue.counts[1], 1U);
  EXPECT_EQ(queue.counts[kTimeBounds.size() - 1], 1U);
  EXPECT_EQ(queue.counts[kTimeBounds.size()], 1U);
  EXPECT_EQ(queue.total.count, 5U);
  // What cannot be has taken no time.
  EXPECT_EQ(queue.total.sum, microseconds(21'000'001) + nanoseconds(1001));
}

TEST(ComputeTimeSumTest, AddsUpUntilItIsCleared) {
  ComputeTimeSum sum;
  sum.Add({.input = nanoseconds(1),
           .infer = nanoseconds(2),
           .output = nanoseconds(3)});
  sum.Add({.input = nanoseconds(10),
           .infer = nanoseconds(20),
           .output = nanoseconds(30)});

  EXPECT_EQ(sum.Get().input, nanoseconds(11));
  EXPECT_EQ(sum.Get().infer, nanoseconds(22));
  EXPECT_EQ(sum.Get().output, nanoseconds(33));

  sum.Clear();
  EXPECT_EQ(sum.Get().infer, nanoseconds(0));
}

}  // namespace
}  // namespace relu
