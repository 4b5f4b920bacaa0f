#include "core/batching/rejection.h"

#include <chrono>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/metrics/reject_reason.h"

namespace relu {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;

TEST(RejectionTest, EachHasItsCodeAndItsNumbers) {
  using enum Rejection;
  const RejectionFacts facts = {.age = std::chrono::microseconds(1500),
                                .retry_pushback = std::chrono::milliseconds(17),
                                .max_queue_time = std::chrono::seconds(1),
                                .max_requests = 42,
                                .max_bytes = 4242};
  struct Case {
    Rejection rejection;
    StatusCode code;
    std::string words;
  };
  for (const Case& one :
       {Case{kClosed, StatusCode::kUnavailable, "shutting down"},
        Case{kQueueRequests, StatusCode::kUnavailable,
             "Exceeds maximum queue size: 42 requests wait"},
        Case{kQueueTime, StatusCode::kUnavailable, "longer than 1000 ms"},
        Case{kDeadline, StatusCode::kUnavailable, "17 ms late"},
        Case{kQueueBytes, StatusCode::kResourceExhausted, "4242 bytes"},
        Case{kTotalRequests, StatusCode::kResourceExhausted, "42 requests"},
        Case{kTotalBytes, StatusCode::kResourceExhausted, "4242 bytes"},
        Case{kExpired, StatusCode::kDeadlineExceeded, "1.500 ms after"},
        Case{kCancelled, StatusCode::kCancelled, "1.500 ms after"}}) {
    const absl::Status status = RejectionStatus(one.rejection, facts);
    EXPECT_EQ(status.code(), one.code) << one.words;
    EXPECT_THAT(std::string(status.message()), HasSubstr(one.words));
  }
}

TEST(RejectionTest, ReasonsAreDifferent) {
  std::set<RejectReason> reasons;
  for (int i = 0; i <= static_cast<int>(Rejection::kCancelled); ++i) {
    reasons.insert(ReasonOf(static_cast<Rejection>(i)));
  }
  EXPECT_EQ(reasons.size(),
            static_cast<std::size_t>(Rejection::kCancelled) + 1);
  EXPECT_EQ(ReasonOf(Rejection::kNone), RejectReason::kNone);
  EXPECT_EQ(ReasonOf(Rejection::kClosed), RejectReason::kDraining);
}

}  // namespace
}  // namespace relu
