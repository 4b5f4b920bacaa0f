#include "core/base/status_macros.h"

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

absl::StatusOr<std::unique_ptr<int>> Box(int value) {
  if (value < 0) {
    return absl::OutOfRangeError("negative");
  }
  return std::make_unique<int>(value);
}

absl::Status Check(int value, int& evaluations, bool& reached_end) {
  RETURN_IF_ERROR((++evaluations, value < 0 ? absl::OutOfRangeError("negative")
                                            : absl::OkStatus()));
  reached_end = true;
  return absl::OkStatus();
}

absl::StatusOr<int> Sum(int a, int b) {
  ASSIGN_OR_RETURN(const std::unique_ptr<int> first, Box(a));
  int sum = *first;
  std::unique_ptr<int> second;
  ASSIGN_OR_RETURN(second, Box(b));
  sum += *second;
  return sum;
}

TEST(StatusMacrosTest, ReturnIfErrorReturnsTheError) {
  int evaluations = 0;
  bool reached_end = false;

  const absl::Status status = Check(-1, evaluations, reached_end);

  EXPECT_EQ(status, absl::OutOfRangeError("negative"));
  EXPECT_FALSE(reached_end);
  EXPECT_EQ(evaluations, 1);
}

TEST(StatusMacrosTest, ReturnIfErrorGoesOnWhenOk) {
  int evaluations = 0;
  bool reached_end = false;

  const absl::Status status = Check(1, evaluations, reached_end);

  EXPECT_TRUE(status.ok());
  EXPECT_TRUE(reached_end);
  EXPECT_EQ(evaluations, 1);
}

TEST(StatusMacrosTest, AssignOrReturnAssignsToNewAndOldVariables) {
  const absl::StatusOr<int> sum = Sum(2, 3);

  ASSERT_TRUE(sum.ok());
  EXPECT_EQ(*sum, 5);
}

TEST(StatusMacrosTest, AssignOrReturnReturnsTheError) {
  EXPECT_EQ(Sum(-1, 3).status(), absl::OutOfRangeError("negative"));
  EXPECT_EQ(Sum(1, -3).status(), absl::OutOfRangeError("negative"));
}

}  // namespace
}  // namespace relu
