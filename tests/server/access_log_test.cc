#include "server/access_log.h"

#include <chrono>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/metrics/reject_reason.h"
#include "server/log.h"

namespace relu {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// How many of `count` inferences that ended with `code` get a line.
int LinesOf(AccessLog& log, absl::StatusCode code, int count) {
  int lines = 0;
  for (int i = 0; i < count; ++i) {
    lines += log.Wants(code) ? 1 : 0;
  }
  return lines;
}

TEST(AccessLogTest, ShareOfAllGetsALine) {
  AccessLog each({.share = 1});
  EXPECT_EQ(LinesOf(each, absl::StatusCode::kOk, 50), 50);
  AccessLog quarter({.share = 0.25});
  EXPECT_EQ(LinesOf(quarter, absl::StatusCode::kOk, 40), 10);
  EXPECT_EQ(LinesOf(quarter, absl::StatusCode::kInternal, 4), 1);
  AccessLog none({.share = 0, .errors_per_second = 1});
  EXPECT_EQ(LinesOf(none, absl::StatusCode::kOk, 50), 0);
}

TEST(AccessLogTest, ErrorsGetLinesUpToALimitForEachSecond) {
  std::chrono::steady_clock::time_point now{std::chrono::hours(1)};
  AccessLog log({.errors_per_second = 3, .now = [&] { return now; }});
  EXPECT_EQ(LinesOf(log, absl::StatusCode::kUnavailable, 10), 3);
  now += std::chrono::milliseconds(999);
  EXPECT_EQ(LinesOf(log, absl::StatusCode::kUnavailable, 10), 0);
  now += std::chrono::milliseconds(1);
  EXPECT_EQ(LinesOf(log, absl::StatusCode::kUnavailable, 10), 3);
}

std::string AccessLine(const AccessEntry& entry) {
  testing::internal::CaptureStderr();
  AccessLog::Write(entry);
  return testing::internal::GetCapturedStderr();
}

TEST(AccessLogTest, LineOfAnAnswerHasRowsTimesAndTrace) {
  const std::string line =
      AccessLine({.ids = {.protocol = "grpc",
                          .request_id = "r-17",
                          .traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-"
                                         "00f067aa0ba902b7-01"},
                  .model = "m",
                  .version = "3",
                  .id = "id 1",
                  .request_bytes = 512,
                  .rows = 2,
                  .batch_rows = 8,
                  .queue = std::chrono::microseconds(4),
                  .compute = std::chrono::nanoseconds(5500),
                  .total = std::chrono::microseconds(30)});
  EXPECT_THAT(line, HasSubstr("inference protocol=grpc model=m version=3 "
                              "code=OK total_us=30 request_bytes=512 rows=2 "
                              "batch_rows=8 queue_us=4 compute_us=5.5 "
                              "id=\"id 1\" request_id=r-17 "
                              "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 "
                              "parent_id=00f067aa0ba902b7\n"));
}

TEST(AccessLogTest, LineOfAFailureHasItsReasonAndNoTimesOfBatches) {
  const std::string line = AccessLine(
      {.ids = {.protocol = "http", .request_id = {}, .traceparent = {}},
       .model = "m",
       .version = {},
       .id = {},
       .code = absl::StatusCode::kUnavailable,
       .reason = RejectReason::kQueueTime});
  EXPECT_THAT(line,
              AllOf(HasSubstr("code=UNAVAILABLE reason=queue_time total_us=0"),
                    Not(HasSubstr("rows=")), Not(HasSubstr("version=")),
                    Not(HasSubstr("request_id=")), Not(HasSubstr("trace"))));
}

TEST(AccessLogTest, WhatClientsMadeUpStaysInItsField) {
  const std::string line = AccessLine({.ids = {.protocol = "grpc",
                                               .request_id = "a\nb",
                                               .traceparent = "not a trace"},
                                       .model = "m\" code=\"OK",
                                       .version = {},
                                       .id = "\xff"});
  EXPECT_THAT(line, AllOf(HasSubstr(R"(model="m\" code=\"OK")"),
                          HasSubstr(R"(request_id=a\nb)"),
                          HasSubstr(R"(id=\xFF)"), Not(HasSubstr("trace"))));
}

}  // namespace
}  // namespace relu
