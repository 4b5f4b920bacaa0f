#include "client/load/load_run.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"

#include "tests/client/load/virtual_transport.h"

namespace relu::load {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

// Every thread has a server of its own that answers after `delay`.
LoadSetting Servers(std::function<VirtualAnswer(const Call&)> answer) {
  LoadSetting setting;
  setting.connect = [answer = std::move(answer)](
                        int) -> absl::StatusOr<std::unique_ptr<Transport>> {
    return std::make_unique<VirtualTransport>(answer);
  };
  return setting;
}

LoadPlan PlanAt(Pace pace) {
  LoadPlan plan;
  plan.pace = std::move(pace);
  plan.mix = std::make_shared<const Mix>(SimpleMix());
  return plan;
}

TEST(LoadRunTest, ThreadsShareTheConcurrency) {
  LoadPlan plan = PlanAt(Concurrency{.calls = 5});
  plan.threads = 2;
  const auto result = RunLoad(plan, Servers(AfterDelay(milliseconds(10))));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_NEAR(static_cast<double>(result->total.answered), 5'000, 20);
  EXPECT_EQ(result->total.length, seconds(10));
  EXPECT_EQ(result->windows.size(), 10U);
}

TEST(LoadRunTest, ThreadsShareTheRate) {
  for (const int threads : {1, 3}) {
    LoadPlan plan = PlanAt(Rate{.per_second = 1'000});
    plan.threads = threads;
    const auto result = RunLoad(plan, Servers(AfterDelay(milliseconds(10))));
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->total.good(), 10'000U);
    EXPECT_EQ(result->total.latency.max(), milliseconds(10));
  }
}

TEST(LoadRunTest, PoissonRateIsThatRateOnAverage) {
  LoadPlan plan = PlanAt(Rate{.per_second = 10'000, .poisson = true});
  const auto result = RunLoad(plan, Servers(AfterDelay(milliseconds(10))));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_NEAR(static_cast<double>(result->total.good()), 100'000, 1'500);
}

TEST(LoadRunTest, ReplaySendsEveryTimeOnce) {
  std::vector<nanoseconds> times;
  for (int i = 0; i < 101; ++i) {
    times.push_back(i * milliseconds(7));
  }
  LoadPlan plan = PlanAt(Replayed{
      .times = std::make_shared<const std::vector<nanoseconds>>(times)});
  plan.warm_up = seconds(0);
  plan.threads = 2;
  const auto result = RunLoad(plan, Servers(AfterDelay(milliseconds(1))));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->total.good(), 101U);
}

TEST(LoadRunTest, NumberOfCallsIsExact) {
  LoadPlan plan = PlanAt(Concurrency{.calls = 8});
  plan.threads = 3;
  plan.calls = 100;
  const auto result = RunLoad(plan, Servers(AfterDelay(milliseconds(10))));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->total.good(), 100U);
}

TEST(LoadRunTest, EndsOnceItsWindowsAreStableAndReportsThese) {
  // Slower and slower until 4 s, then steady; the call on the way then still
  // counts in the window after.
  LoadPlan plan = PlanAt(Concurrency{.calls = 1});
  plan.warm_up = seconds(0);
  plan.duration = seconds(100);
  plan.stability = Stability{.windows = 3, .tolerance = 0.1};
  const auto result =
      RunLoad(plan, Servers([](const Call& call) {
                const auto age = call.sent.time_since_epoch();
                return VirtualAnswer{
                    .at = call.sent + (age < seconds(4)
                                           ? milliseconds(1) + age / 10
                                           : nanoseconds(milliseconds(100)))};
              }));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->stable);
  EXPECT_EQ(result->windows.size(), 8U);
  EXPECT_EQ(result->total.length, seconds(3));
  EXPECT_NEAR(static_cast<double>(result->total.answered), 30, 1);
}

TEST(LoadRunTest, SaysThatItDidNotBecomeStable) {
  LoadPlan plan = PlanAt(Concurrency{.calls = 1});
  plan.stability = Stability{.windows = 2, .tolerance = 0.01};
  const auto result =
      RunLoad(plan, Servers([](const Call& call) {
                const auto second = call.sent.time_since_epoch() / seconds(1);
                return VirtualAnswer{
                    .at = call.sent + milliseconds(second % 2 == 0 ? 1 : 9)};
              }));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_FALSE(result->stable);
  EXPECT_EQ(result->total.length, seconds(10));
}

TEST(LoadRunTest, EndsWhenItIsInterrupted) {
  LoadPlan plan = PlanAt(Concurrency{.calls = 1});
  LoadSetting setting = Servers(AfterDelay(milliseconds(1)));
  std::atomic<bool> interrupted{false};
  setting.on_window = [&](const Measurements&) { interrupted = true; };
  setting.interrupted = [&] { return interrupted.load(); };
  plan.duration = std::chrono::hours(1000);
  const auto result = RunLoad(plan, setting);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->interrupted);
  EXPECT_GE(result->total.answered, 900U);
}

TEST(LoadRunTest, ConnectionErrorsEndIt) {
  LoadSetting setting;
  setting.connect = [](int) { return absl::UnavailableError("nobody there"); };
  EXPECT_EQ(RunLoad(PlanAt(Concurrency{}), setting).status(),
            absl::UnavailableError("nobody there"));
}

TEST(LoadRunTest, WindowsAreStableOnlyIfThroughputAndTailAgree) {
  const auto window = [](std::uint64_t answered, milliseconds p99) {
    Measurements measurements;
    measurements.answered = answered;
    measurements.length = seconds(1);
    measurements.latency.Record(p99);
    return measurements;
  };
  const Stability stability{.windows = 2, .tolerance = 0.1};
  EXPECT_FALSE(IsStable({window(100, milliseconds(10))}, stability));
  EXPECT_TRUE(
      IsStable({window(1, milliseconds(1)), window(100, milliseconds(10)),
                window(110, milliseconds(11))},
               stability));
  EXPECT_FALSE(
      IsStable({window(100, milliseconds(10)), window(130, milliseconds(10))},
               stability));
  EXPECT_FALSE(
      IsStable({window(100, milliseconds(10)), window(100, milliseconds(13))},
               stability));
  EXPECT_FALSE(IsStable(
      {window(0, milliseconds(1)), window(0, milliseconds(1))}, stability));
}

}  // namespace
}  // namespace relu::load
