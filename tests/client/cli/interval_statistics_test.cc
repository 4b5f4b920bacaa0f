#include "client/cli/interval_statistics.h"

#include <chrono>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

using std::chrono::microseconds;
using testing::ElementsAre;
using testing::Pair;

ModelStatistics Counted(std::uint64_t requests, std::uint64_t batches) {
  const auto times = [requests](int us) {
    return DurationTotal{.count = requests,
                         .time = microseconds(us) * static_cast<int>(requests)};
  };
  ModelStatistics statistics;
  statistics.name = "m";
  statistics.version = "1";
  statistics.inference_count = requests * 4;
  statistics.execution_count = batches;
  statistics.success = times(100);
  statistics.queue = times(10);
  statistics.compute_input = times(1);
  statistics.compute_infer = times(50);
  statistics.compute_output = times(2);
  statistics.fail.count = 3;
  statistics.batches = {
      {.batch_size = 8,
       .compute_input = {},
       .compute_infer = {.count = batches, .time = microseconds(1)},
       .compute_output = {}}};
  return statistics;
}

TEST(IntervalStatisticsTest, AreTheDifferencesAndTheMeansOfThem) {
  const auto figures =
      StatisticsBetween({Counted(100, 50)}, {Counted(300, 150)});
  ASSERT_EQ(figures.size(), 1U);
  const IntervalStatistics& model = figures[0];
  EXPECT_EQ(model.name, "m");
  EXPECT_EQ(model.requests, 200U);
  EXPECT_EQ(model.failures, 0U);
  EXPECT_EQ(model.rows, 800U);
  EXPECT_EQ(model.batches, 100U);
  EXPECT_DOUBLE_EQ(model.total_us, 100);
  EXPECT_DOUBLE_EQ(model.queue_us, 10);
  EXPECT_DOUBLE_EQ(model.compute_infer_us, 50);
  EXPECT_EQ(RowsPerBatch(model), 8.0);
  EXPECT_THAT(model.batch_sizes, ElementsAre(Pair(8U, 100U)));
}

TEST(IntervalStatisticsTest, NewAndRestartedModelsCountFromZero) {
  EXPECT_EQ(StatisticsBetween({}, {Counted(300, 150)})[0].requests, 300U);
  EXPECT_EQ(
      StatisticsBetween({Counted(500, 400)}, {Counted(300, 150)})[0].requests,
      300U);
  EXPECT_TRUE(StatisticsBetween({Counted(1, 1)}, {}).empty());
}

TEST(IntervalStatisticsTest, WithoutRequestsThereAreNoMeans) {
  const auto figures = StatisticsBetween({Counted(5, 5)}, {Counted(5, 5)});
  EXPECT_EQ(figures[0].total_us, 0);
  EXPECT_EQ(RowsPerBatch(figures[0]), 0);
  EXPECT_TRUE(figures[0].batch_sizes.empty());
}

}  // namespace
}  // namespace relu
