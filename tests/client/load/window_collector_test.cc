#include "client/load/window_collector.h"

#include <chrono>
#include <optional>
#include <thread>

#include "gtest/gtest.h"

#include "client/load/measurements.h"

namespace relu::load {
namespace {

using std::chrono::seconds;

Measurements Window(std::uint64_t answered, seconds length = seconds(1)) {
  Measurements window;
  window.answered = answered;
  window.length = length;
  return window;
}

TEST(WindowCollectorTest, WindowIsTheSumOfAllWorkersOverTheSameTime) {
  WindowCollector collector(2);
  collector.sink(0).OnWindow(0, Window(3));
  collector.sink(0).OnWindow(1, Window(30));
  collector.sink(1).OnWindow(0, Window(4));
  collector.sink(1).OnWindow(1, Window(40));
  const auto first = collector.NextWindow();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->answered, 7U);
  EXPECT_EQ(first->length, seconds(1));
  EXPECT_EQ(collector.NextWindow()->answered, 70U);
}

TEST(WindowCollectorTest, WaitsForTheSlowestWorker) {
  WindowCollector collector(2);
  collector.sink(0).OnWindow(0, Window(3));
  std::jthread slow([&collector] { collector.sink(1).OnWindow(0, Window(4)); });
  EXPECT_EQ(collector.NextWindow()->answered, 7U);
}

TEST(WindowCollectorTest, GivesWhatIsThereOnceAllHaveEnded) {
  WindowCollector collector(2);
  collector.sink(0).OnWindow(0, Window(3));
  collector.sink(0).OnEnd(Window(1));
  collector.sink(1).OnEnd(Window(2));
  EXPECT_EQ(collector.NextWindow()->answered, 3U);
  EXPECT_EQ(collector.NextWindow(), std::nullopt);
  EXPECT_EQ(collector.tail().answered, 3U);
  EXPECT_EQ(collector.tail().length, seconds(0));
}

}  // namespace
}  // namespace relu::load
