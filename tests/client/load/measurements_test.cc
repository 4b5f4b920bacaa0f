#include "client/load/measurements.h"

#include <chrono>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "client/load/call.h"
#include "client/load/request.h"

namespace relu::load {
namespace {

using std::chrono::microseconds;

const Request kRequest{.message = {}, .rows = 1, .model = 0};

Call CallOf(absl::StatusCode code, bool mismatch = false) {
  Call call;
  call.request = &kRequest;
  call.intended = TimePoint(microseconds(100));
  call.sent = TimePoint(microseconds(110));
  call.answered = TimePoint(microseconds(150));
  call.code = code;
  call.mismatch = mismatch;
  call.error = "why";
  return call;
}

TEST(MeasurementsTest, LatencyIsFromTheIntendedStartServiceTimeFromTheSend) {
  Measurements measurements(1);
  measurements.Record(CallOf(absl::StatusCode::kOk));
  EXPECT_EQ(measurements.latency.max(), microseconds(50));
  EXPECT_EQ(measurements.service_time.max(), microseconds(40));
  EXPECT_EQ(measurements.send_delay.max(), microseconds(10));
  EXPECT_EQ(measurements.good(), 1U);
  EXPECT_TRUE(measurements.messages.empty());
}

TEST(MeasurementsTest, FailedCallsHaveNoLatency) {
  Measurements measurements(1);
  measurements.Record(CallOf(absl::StatusCode::kInternal));
  measurements.Record(CallOf(absl::StatusCode::kOk, /*mismatch=*/true));
  measurements.Record(CallOf(static_cast<absl::StatusCode>(99)));
  EXPECT_EQ(measurements.latency.count(), 0U);
  EXPECT_EQ(measurements.send_delay.count(), 3U);
  EXPECT_EQ(measurements.good(), 0U);
  EXPECT_EQ(measurements.failed(), 3U);
  EXPECT_EQ(measurements.models[0].failed, 3U);
  EXPECT_EQ(measurements.messages.size(), 3U);
}

TEST(MeasurementsTest, AddSumsAllAndKeepsTheFirstMessages) {
  Measurements sum(1);
  Measurements other(1);
  sum.Record(CallOf(absl::StatusCode::kInternal));
  Call later = CallOf(absl::StatusCode::kInternal);
  later.error = "later";
  other.Record(later);
  other.Record(CallOf(absl::StatusCode::kOk));
  other.length = microseconds(5);
  other.answered = 1;
  other.rows = 2;
  other.sent = 3;
  other.timeouts = 4;
  other.unsent = 5;
  other.bytes_sent = 6;
  other.bytes_received = 7;
  other.cpu = microseconds(8);
  sum.Add(other);
  sum.Add(other);
  EXPECT_EQ(sum.codes[static_cast<int>(absl::StatusCode::kInternal)], 3U);
  EXPECT_EQ(sum.messages.at(absl::StatusCode::kInternal), "why");
  EXPECT_EQ(sum.latency.count(), 2U);
  EXPECT_EQ(sum.service_time.count(), 2U);
  EXPECT_EQ(sum.send_delay.count(), 5U);
  EXPECT_EQ(sum.models[0].good, 2U);
  EXPECT_EQ(sum.models[0].failed, 3U);
  EXPECT_EQ(sum.length, microseconds(10));
  EXPECT_EQ(sum.answered, 2U);
  EXPECT_EQ(sum.rows, 4U);
  EXPECT_EQ(sum.sent, 6U);
  EXPECT_EQ(sum.timeouts, 8U);
  EXPECT_EQ(sum.unsent, 10U);
  EXPECT_EQ(sum.bytes_sent, 12U);
  EXPECT_EQ(sum.bytes_received, 14U);
  EXPECT_EQ(sum.cpu, microseconds(16));
}

TEST(MeasurementsTest, ClearForgetsAllButTheModels) {
  Measurements measurements(2);
  measurements.Record(CallOf(absl::StatusCode::kOk));
  measurements.Record(CallOf(absl::StatusCode::kInternal));
  measurements.answered = 1;
  measurements.Clear();
  EXPECT_EQ(measurements.good() + measurements.failed(), 0U);
  EXPECT_EQ(measurements.answered, 0U);
  EXPECT_EQ(measurements.latency.count(), 0U);
  EXPECT_TRUE(measurements.messages.empty());
  ASSERT_EQ(measurements.models.size(), 2U);
  EXPECT_EQ(measurements.models[0].latency.count(), 0U);
  EXPECT_EQ(measurements.models[0].good, 0U);
}

}  // namespace
}  // namespace relu::load
