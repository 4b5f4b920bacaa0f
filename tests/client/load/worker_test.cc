#include "client/load/worker.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "tests/client/load/virtual_transport.h"

namespace relu::load {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

// Keeps all that a worker hands on.
class Kept final : public WindowSink {
 public:
  void OnWindow(std::size_t index, const Measurements& window) override {
    EXPECT_EQ(index, windows.size());
    windows.push_back(window);
  }
  void OnEnd(const Measurements& last) override {
    tail = last;
    ++ends;
  }
  Measurements Total() const {
    Measurements total = tail;
    for (const Measurements& window : windows) {
      total.Add(window);
    }
    return total;
  }

  std::vector<Measurements> windows;
  Measurements tail;
  int ends = 0;
};

WorkerPlan PlanOf(std::variant<ClosedLoop, OpenLoop> loop, const Mix& mix) {
  return {.loop = std::move(loop),
          .mix = &mix,
          .share = {},
          .start = TimePoint(),
          .warm_up = seconds(1),
          .duration = seconds(4),
          .calls = std::nullopt,
          .window = seconds(1),
          .timeout = seconds(10)};
}

OpenLoop ConstantRate(double per_second,
                      std::size_t max_in_flight = 1'000'000) {
  return {.arrivals = Arrivals::Constant(per_second, {}),
          .max_in_flight = max_in_flight};
}

Kept RunWorker(
    const WorkerPlan& plan, VirtualTransport& transport,
    const std::function<bool()>& stopped = [] { return false; }) {
  Kept kept;
  Worker(plan, transport, kept, stopped).Run();
  EXPECT_EQ(kept.ends, 1);
  return kept;
}

// The percentiles of `exact` and of `histogram` agree within its precision.
void ExpectPercentiles(std::vector<nanoseconds> exact,
                       const Histogram& histogram) {
  ASSERT_EQ(histogram.count(), exact.size());
  std::ranges::sort(exact);
  for (const double percent :
       {1.0, 10.0, 50.0, 75.0, 90.0, 99.0, 99.9, 100.0}) {
    const auto rank = static_cast<std::size_t>(
        std::ceil(percent / 100 * static_cast<double>(exact.size()) - 1e-6));
    const nanoseconds want = exact[std::max<std::size_t>(rank, 1) - 1];
    EXPECT_GE(histogram.Percentile(percent), want) << percent;
    EXPECT_LE(static_cast<double>(histogram.Percentile(percent).count()),
              static_cast<double>(want.count()) * (1 + 1.0 / 1024))
        << percent;
  }
}

TEST(WorkerTest, ClosedLoopKeepsItsCallsInFlight) {
  const Mix mix = SimpleMix();
  VirtualTransport transport(AfterDelay(milliseconds(10)));
  const Kept kept =
      RunWorker(PlanOf(ClosedLoop{.concurrency = 5}, mix), transport);
  EXPECT_EQ(transport.most_in_flight(), 5U);
  ASSERT_EQ(kept.windows.size(), 4U);
  for (const Measurements& window : kept.windows) {
    EXPECT_EQ(window.length, seconds(1));
    EXPECT_NEAR(static_cast<double>(window.answered), 500, 5);
    EXPECT_EQ(window.rows, window.answered * 2);
  }
  const Measurements total = kept.Total();
  EXPECT_EQ(total.latency.min(), milliseconds(10));
  EXPECT_EQ(total.latency.max(), milliseconds(10));
  EXPECT_EQ(total.good(), 2000U);
  EXPECT_EQ(total.failed(), 0U);
}

TEST(WorkerTest, OpenLoopStartsCallsAtTheirRateHoweverSlowTheServerIs) {
  const Mix mix = SimpleMix();
  VirtualTransport transport(AfterDelay(milliseconds(1500)));
  const Kept kept = RunWorker(PlanOf(ConstantRate(1000), mix), transport);
  const Measurements total = kept.Total();
  EXPECT_EQ(total.sent, 4000U);
  EXPECT_EQ(total.good(), 4000U);  // Also those answered after the end.
  EXPECT_EQ(total.send_delay.max(), nanoseconds(0));
  EXPECT_EQ(total.latency.min(), milliseconds(1500));
  EXPECT_EQ(transport.started(), 5000U);  // With those of the warm-up.
  for (const Measurements& window : kept.windows) {
    EXPECT_NEAR(static_cast<double>(window.sent), 1000, 1);
  }
  EXPECT_NEAR(static_cast<double>(kept.tail.good()), 1500, 1);
  EXPECT_EQ(kept.tail.answered, 0U);
}

TEST(WorkerTest, PercentilesAreThoseOfTheDelaysThatTheServerMakes) {
  const Mix mix = SimpleMix();
  std::mt19937_64 random(3);
  std::lognormal_distribution<double> delay_us(6.0, 1.0);
  std::vector<nanoseconds> delays;
  VirtualTransport transport([&](const Call& call) {
    const nanoseconds delay(
        static_cast<std::int64_t>(delay_us(random) * 1'000));
    if (call.intended >= TimePoint(seconds(1))) {
      delays.push_back(delay);
    }
    return VirtualAnswer{.at = call.sent + delay};
  });
  const Kept kept = RunWorker(PlanOf(ConstantRate(5'000), mix), transport);
  EXPECT_EQ(delays.size(), 20'000U);
  ExpectPercentiles(delays, kept.Total().latency);
}

// A server that answers after 1 ms, but not at all from 2 s to 3 s: what
// arrives then is answered right after.
TEST(WorkerTest, StallCountsForEveryCallThatWasToStartInIt) {
  const Mix mix = SimpleMix();
  const TimePoint stall_begin(seconds(2));
  const TimePoint stall_end(seconds(3));
  const auto answer_at = [&](TimePoint sent) {
    const TimePoint at = sent + milliseconds(1);
    return at > stall_begin && sent < stall_end ? stall_end + milliseconds(1)
                                                : at;
  };
  for (const std::size_t max_in_flight : {1'000'000U, 1U}) {
    VirtualTransport transport([&](const Call& call) {
      return VirtualAnswer{.at = answer_at(call.sent)};
    });
    const Kept kept =
        RunWorker(PlanOf(ConstantRate(500, max_in_flight), mix), transport);
    // One at a time, each call that was due waits for all before it.
    std::vector<nanoseconds> exact;
    TimePoint free{};
    for (int i = 0; i < 2500; ++i) {
      const TimePoint intended = TimePoint() + i * milliseconds(2);
      const TimePoint sent =
          max_in_flight == 1 ? std::max(intended, free) : intended;
      free = answer_at(sent);
      if (i >= 500) {
        exact.push_back(free - intended);
      }
    }
    const Measurements total = kept.Total();
    ExpectPercentiles(exact, total.latency);
    // A quarter of the calls met the stall.
    EXPECT_GT(total.latency.Percentile(90), milliseconds(500));
    // From the actual send only one would have, one at a time.
    EXPECT_EQ(total.service_time.Percentile(90) > milliseconds(500),
              max_in_flight > 1);
  }
}

TEST(WorkerTest, CallsThatAreDueWaitForTheLimitOfCallsInFlight) {
  const Mix mix = SimpleMix();
  VirtualTransport transport(AfterDelay(milliseconds(100)));
  WorkerPlan plan = PlanOf(ConstantRate(100, /*max_in_flight=*/4), mix);
  plan.timeout = milliseconds(500);
  const Kept kept = RunWorker(plan, transport);
  const Measurements total = kept.Total();
  EXPECT_EQ(transport.most_in_flight(), 4U);
  // 40 a second are possible, of 100. The rest had no time until the end, nor
  // in the half second after it.
  EXPECT_NEAR(static_cast<double>(total.unsent), 500 - 40 * 5.5, 10);
  EXPECT_EQ(total.good() + total.unsent, 400U);
  EXPECT_GT(total.send_delay.max(), seconds(2));
}

TEST(WorkerTest, CallWithoutAnAnswerIsGivenUpAfterTheTimeout) {
  const Mix mix = SimpleMix();
  VirtualTransport transport([](const Call& call) {
    // Every tenth is lost.
    const bool lost =
        call.intended.time_since_epoch() % milliseconds(100) == nanoseconds(0);
    return VirtualAnswer{.at = lost ? TimePoint::max()
                                    : call.sent + microseconds(10)};
  });
  WorkerPlan plan = PlanOf(ConstantRate(100), mix);
  plan.timeout = milliseconds(250);
  const Measurements total = RunWorker(plan, transport).Total();
  EXPECT_EQ(total.timeouts, 40U);
  EXPECT_EQ(
      total
          .codes[static_cast<std::size_t>(absl::StatusCode::kDeadlineExceeded)],
      40U);
  EXPECT_EQ(total.good(), 360U);
  EXPECT_EQ(total.latency.max(), microseconds(10));
}

TEST(WorkerTest, CountsErrorsByCodeAndWrongAnswers) {
  const Mix mix = SimpleMix();
  int calls = 0;
  VirtualTransport transport([&calls](const Call& call) {
    ++calls;
    return VirtualAnswer{.at = call.sent + milliseconds(1),
                         .code = calls % 4 == 0 ? absl::StatusCode::kUnavailable
                                                : absl::StatusCode::kOk,
                         .mismatch = calls % 4 == 1};
  });
  WorkerPlan plan = PlanOf(ConstantRate(100), mix);
  plan.warm_up = seconds(0);
  const Measurements total = RunWorker(plan, transport).Total();
  EXPECT_EQ(total.codes[0], 300U);
  EXPECT_EQ(
      total.codes[static_cast<std::size_t>(absl::StatusCode::kUnavailable)],
      100U);
  EXPECT_EQ(total.mismatches, 100U);
  EXPECT_EQ(total.good(), 200U);
  EXPECT_EQ(total.answered, 200U);
  EXPECT_EQ(total.latency.count(), 200U);
  EXPECT_EQ(total.messages.at(absl::StatusCode::kUnavailable), "made up");
}

TEST(WorkerTest, EndsAfterItsNumberOfCalls) {
  const Mix mix = SimpleMix();
  for (const bool open : {false, true}) {
    VirtualTransport transport(AfterDelay(milliseconds(10)));
    WorkerPlan plan = open ? PlanOf(ConstantRate(100), mix)
                           : PlanOf(ClosedLoop{.concurrency = 3}, mix);
    plan.calls = 50;
    const Kept kept = RunWorker(plan, transport);
    EXPECT_EQ(kept.Total().good(), 50U);
    // With those of the warm-up that were answered after it.
    EXPECT_NEAR(static_cast<double>(kept.Total().answered), 50, 3);
    EXPECT_LT(kept.Total().length, seconds(1));
    EXPECT_EQ(kept.Total().unsent, 0U);
  }
}

TEST(WorkerTest, ReplayEndsWithItsLastAnswer) {
  const Mix mix = SimpleMix();
  const auto times = std::make_shared<const std::vector<nanoseconds>>(
      std::vector<nanoseconds>{seconds(0), seconds(1), milliseconds(2500)});
  VirtualTransport transport(AfterDelay(milliseconds(100)));
  WorkerPlan plan = PlanOf(
      OpenLoop{.arrivals = Arrivals::Replay(times, {}), .max_in_flight = 10},
      mix);
  plan.warm_up = seconds(0);
  plan.duration = std::chrono::hours(24 * 365 * 200);
  const Kept kept = RunWorker(plan, transport);
  EXPECT_EQ(kept.Total().good(), 3U);
  EXPECT_EQ(kept.Total().length, milliseconds(2600));
  EXPECT_EQ(transport.Now(), TimePoint(milliseconds(2600)));
}

TEST(WorkerTest, StopsWhenItIsTold) {
  const Mix mix = SimpleMix();
  for (const bool open : {false, true}) {
    VirtualTransport transport(AfterDelay(milliseconds(10)));
    const WorkerPlan plan = open ? PlanOf(ConstantRate(100), mix)
                                 : PlanOf(ClosedLoop{.concurrency = 3}, mix);
    const Kept kept = RunWorker(plan, transport, [&transport] {
      return transport.Now() >= TimePoint(milliseconds(2500));
    });
    EXPECT_LT(transport.Now(), TimePoint(milliseconds(2600)));
    ASSERT_EQ(kept.windows.size(), 2U);
    EXPECT_NEAR(std::chrono::duration<double>(kept.windows[1].length).count(),
                0.5, 0.06);
  }
}

TEST(WorkerTest, BytesAndModelsAreThoseOfTheWindow) {
  const Mix mix = SimpleMix(2);
  VirtualTransport transport(AfterDelay(milliseconds(1)));
  const Kept kept = RunWorker(PlanOf(ConstantRate(100), mix), transport);
  const Measurements total = kept.Total();
  EXPECT_NEAR(static_cast<double>(total.bytes_sent), 40'000, 200);
  EXPECT_NEAR(static_cast<double>(total.bytes_received), 4'000, 20);
  ASSERT_EQ(total.models.size(), 2U);
  EXPECT_EQ(total.models[0].good + total.models[1].good, 400U);
  EXPECT_NEAR(static_cast<double>(total.models[0].good), 200, 60);
  EXPECT_EQ(total.models[0].latency.count(), total.models[0].good);
}

}  // namespace
}  // namespace relu::load
