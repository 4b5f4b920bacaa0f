#include "client/call_status.h"

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "grpcpp/support/status.h"
#include "gtest/gtest.h"

#include "client/client_options.h"

namespace relu {
namespace {

TEST(CallStatusTest, OkStaysOk) {
  EXPECT_TRUE(FromGrpcStatus(grpc::Status::OK, "here:1").ok());
}

TEST(CallStatusTest, EveryCodeKeepsItsNumber) {
  for (int code = 1; code <= 16; ++code) {
    const grpc::Status status(static_cast<grpc::StatusCode>(code), "why");
    EXPECT_EQ(FromGrpcStatus(status, "here:1").raw_code(), code);
  }
}

TEST(CallStatusTest, MessageIsKeptWhenTheServerRefuses) {
  const grpc::Status status(grpc::StatusCode::NOT_FOUND, "no model 'x'");
  EXPECT_EQ(FromGrpcStatus(status, "here:1").message(), "no model 'x'");
}

TEST(CallStatusTest, AddressIsNamedWhenUnavailable) {
  const grpc::Status status(grpc::StatusCode::UNAVAILABLE, "connect failed");
  EXPECT_EQ(FromGrpcStatus(status, "here:1").message(),
            "server \"here:1\": connect failed");
}

TEST(CallStatusTest, DetailsAreThePayload) {
  const grpc::Status status(grpc::StatusCode::INTERNAL, "why", "details");
  EXPECT_EQ(FromGrpcStatus(status, "here:1").GetPayload(kStatusDetailsUrl),
            absl::Cord("details"));
  const grpc::Status plain(grpc::StatusCode::INTERNAL, "why");
  EXPECT_EQ(FromGrpcStatus(plain, "here:1").GetPayload(kStatusDetailsUrl),
            absl::nullopt);
}

}  // namespace
}  // namespace relu
