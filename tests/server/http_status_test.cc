#include "server/http_status.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <nlohmann/json.hpp>

namespace relu {
namespace {

using testing::Contains;
using testing::Pair;

TEST(HttpStatusTest, EveryCodeHasAStatus) {
  EXPECT_EQ(HttpStatus(absl::StatusCode::kOk), 200);
  EXPECT_EQ(HttpStatus(absl::StatusCode::kCancelled), 499);
  EXPECT_EQ(HttpStatus(absl::StatusCode::kUnknown), 500);
  EXPECT_EQ(HttpStatus(absl::StatusCode::kInvalidArgument), 400);
  EXPECT_EQ(HttpStatus(absl::StatusCode::kDeadlineExceeded), 504);
  EXPECT_EQ(HttpStatus(absl::StatusCode::kNotFound), 404);
  EXPECT_EQ(HttpStatus(absl::StatusCode::kAlreadyExists), 400);
  EXPECT_EQ(HttpStatus(absl::StatusCode::kPermissionDenied), 403);
  EXPECT_EQ(HttpStatus(absl::StatusCode::kResourceExhausted), 429);
  EXPECT_EQ(HttpStatus(absl::StatusCode::kFailedPrecondition), 400);
  EXPECT_EQ(HttpStatus(absl::StatusCode::kAborted), 400);
  EXPECT_EQ(HttpStatus(absl::StatusCode::kOutOfRange), 400);
  EXPECT_EQ(HttpStatus(absl::StatusCode::kUnimplemented), 501);
  EXPECT_EQ(HttpStatus(absl::StatusCode::kInternal), 500);
  EXPECT_EQ(HttpStatus(absl::StatusCode::kUnavailable), 503);
  EXPECT_EQ(HttpStatus(absl::StatusCode::kDataLoss), 500);
  EXPECT_EQ(HttpStatus(absl::StatusCode::kUnauthenticated), 401);
}

TEST(HttpStatusTest, BodyIsTritonsErrorObject) {
  const HttpResponse response =
      ErrorResponse(absl::NotFoundError("no model \"x\"\n"));
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(nlohmann::json::parse(response.body),
            (nlohmann::json{{"error", "no model \"x\"\\n"}}));
}

TEST(HttpStatusTest, LongMessagesAreCut) {
  EXPECT_LT(ErrorResponse(400, std::string(1 << 20, 'x')).body.size(), 2100U);
}

TEST(HttpStatusTest, ClientsHearWhenToTryAgainAndThatATokenIsWanted) {
  EXPECT_THAT(ErrorResponse(absl::ResourceExhaustedError("")).headers,
              Contains(Pair("Retry-After", "1")));
  EXPECT_THAT(ErrorResponse(absl::UnavailableError("")).headers,
              Contains(Pair("Retry-After", "1")));
  EXPECT_THAT(ErrorResponse(absl::UnauthenticatedError("")).headers,
              Contains(Pair("WWW-Authenticate", "Bearer")));
  EXPECT_TRUE(ErrorResponse(absl::InvalidArgumentError("")).headers.empty());
}

}  // namespace
}  // namespace relu
