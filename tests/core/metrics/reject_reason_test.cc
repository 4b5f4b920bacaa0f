#include "core/metrics/reject_reason.h"

#include <cstddef>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

TEST(RejectReasonTest, NamesAreDifferentLabels) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < kRejectReasons; ++i) {
    const std::string name(RejectReasonName(static_cast<RejectReason>(i)));
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"),
              std::string::npos)
        << name;
    names.insert(name);
  }
  EXPECT_EQ(names.size(), kRejectReasons);
  EXPECT_EQ(RejectReasonName(RejectReason::kCancelled), "cancelled");
}

TEST(RejectReasonTest, CodesOfClientsFaultsHaveReasons) {
  using absl::StatusCode;
  EXPECT_EQ(ReasonOf(StatusCode::kInvalidArgument), RejectReason::kBadRequest);
  EXPECT_EQ(ReasonOf(StatusCode::kNotFound), RejectReason::kNotFound);
  EXPECT_EQ(ReasonOf(StatusCode::kUnavailable), RejectReason::kNotReady);
  EXPECT_EQ(ReasonOf(StatusCode::kUnauthenticated), RejectReason::kAccess);
  EXPECT_EQ(ReasonOf(StatusCode::kPermissionDenied), RejectReason::kAccess);
  EXPECT_EQ(ReasonOf(StatusCode::kResourceExhausted),
            RejectReason::kMessageBytes);
  EXPECT_EQ(ReasonOf(StatusCode::kCancelled), RejectReason::kCancelled);
}

TEST(RejectReasonTest, FaultsOfTheServerAreNoRejects) {
  EXPECT_EQ(ReasonOf(absl::StatusCode::kInternal), RejectReason::kNone);
  EXPECT_EQ(ReasonOf(absl::StatusCode::kDataLoss), RejectReason::kNone);
}

}  // namespace
}  // namespace relu
