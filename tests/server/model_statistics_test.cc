#include "server/model_statistics.h"

#include <chrono>
#include <cstdint>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "core/metrics/model_metrics.h"
#include "core/metrics/reject_reason.h"
#include "proto/inference.pb.h"
#include "tests/server/loaded_repository.h"

namespace relu {
namespace {

using std::chrono::microseconds;

void ExpectDuration(const inference::StatisticDuration& duration,
                    std::uint64_t count, std::uint64_t ns) {
  EXPECT_EQ(duration.count(), count);
  EXPECT_EQ(duration.ns(), ns);
}

class ModelStatisticsTest : public testing::Test {
 protected:
  inference::ModelStatistics Statistics() {
    inference::ModelStatistics statistics;
    FillStatistics(*model_, statistics);
    return statistics;
  }

  LoadedRepository loaded_;
  std::shared_ptr<Model> model_ = loaded_.model();
};

TEST_F(ModelStatisticsTest, ModelThatServedNothingHasZeros) {
  const inference::ModelStatistics statistics = Statistics();

  EXPECT_EQ(statistics.name(), "digits_mlp");
  EXPECT_EQ(statistics.version(), "1");
  EXPECT_EQ(statistics.last_inference(), 0U);
  EXPECT_EQ(statistics.inference_count(), 0U);
  EXPECT_EQ(statistics.execution_count(), 0U);
  EXPECT_EQ(statistics.batch_stats_size(), 0);
  EXPECT_TRUE(statistics.inference_stats().has_cache_hit());
  ExpectDuration(statistics.inference_stats().success(), 0, 0);
}

TEST_F(ModelStatisticsTest, RequestsAreThoseOfTheMetrics) {
  ModelMetrics& metrics = model_->metrics();
  const RequestTimes times = {.queue = microseconds(5),
                              .compute = {.input = microseconds(1),
                                          .infer = microseconds(20),
                                          .output = microseconds(2)},
                              .total = microseconds(40)};
  metrics.CountAnswer(3, times);
  metrics.CountAnswer(4, times);
  metrics.CountFailure(absl::StatusCode::kCancelled, RejectReason::kCancelled,
                       microseconds(7));

  const inference::ModelStatistics statistics = Statistics();
  EXPECT_EQ(statistics.inference_count(), 7U);
  EXPECT_GT(statistics.last_inference(), 1'577'000'000'000U);
  const inference::InferStatistics& requests = statistics.inference_stats();
  ExpectDuration(requests.success(), 2, 80'000);
  ExpectDuration(requests.fail(), 1, 7'000);
  ExpectDuration(requests.queue(), 2, 10'000);
  ExpectDuration(requests.compute_input(), 2, 2'000);
  ExpectDuration(requests.compute_infer(), 2, 40'000);
  ExpectDuration(requests.compute_output(), 2, 4'000);
}

TEST_F(ModelStatisticsTest, BatchesStandBySize) {
  model_->metrics().CountBatch(1, {.infer = microseconds(1)});
  model_->metrics().CountBatch(64, {.input = microseconds(2),
                                    .infer = microseconds(3),
                                    .output = microseconds(4)});

  const inference::ModelStatistics statistics = Statistics();
  EXPECT_EQ(statistics.execution_count(), 2U);
  ASSERT_EQ(statistics.batch_stats_size(), 2);
  EXPECT_EQ(statistics.batch_stats(0).batch_size(), 1U);
  EXPECT_EQ(statistics.batch_stats(1).batch_size(), 64U);
  ExpectDuration(statistics.batch_stats(1).compute_input(), 1, 2'000);
  ExpectDuration(statistics.batch_stats(1).compute_infer(), 1, 3'000);
  ExpectDuration(statistics.batch_stats(1).compute_output(), 1, 4'000);
}

TEST_F(ModelStatisticsTest, MemoryIsThatOfTheWeights) {
  const inference::ModelStatistics statistics = Statistics();

  ASSERT_EQ(statistics.memory_usage_size(), 1);
  EXPECT_EQ(statistics.memory_usage(0).type(), "CPU");
  // 64-32-10 in float32, or more.
  EXPECT_GT(statistics.memory_usage(0).byte_size(), 9'000U);
}

}  // namespace
}  // namespace relu
