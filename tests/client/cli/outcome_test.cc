#include "client/cli/outcome.h"

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

TEST(OutcomeTest, WrongInputIsCodeTwo) {
  const Outcome outcome =
      WrongInput(absl::NotFoundError("x.csv: no such file"));
  EXPECT_EQ(static_cast<int>(outcome.code), 2);
  EXPECT_EQ(outcome.err, "reluctl: x.csv: no such file\n");
  EXPECT_EQ(outcome.out, "");
}

TEST(OutcomeTest, UnreachableServerIsCodeThree) {
  EXPECT_EQ(static_cast<int>(CallFailed(absl::UnavailableError("")).code), 3);
  EXPECT_EQ(static_cast<int>(CallFailed(absl::DeadlineExceededError("")).code),
            3);
}

TEST(OutcomeTest, RefusedRequestIsCodeFour) {
  for (const absl::Status& status :
       {absl::NotFoundError(""), absl::InvalidArgumentError(""),
        absl::InternalError(""), absl::ResourceExhaustedError("")}) {
    EXPECT_EQ(static_cast<int>(CallFailed(status).code), 4);
  }
}

TEST(OutcomeTest, FailedCallNamesTheCode) {
  EXPECT_EQ(CallFailed(absl::NotFoundError("no model")).err,
            "reluctl: NOT_FOUND: no model\n");
}

TEST(OutcomeTest, MessageStaysOneLine) {
  EXPECT_EQ(ErrorLine("a\nb"), "reluctl: a\\nb\n");
}

}  // namespace
}  // namespace relu
