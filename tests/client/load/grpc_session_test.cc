// What needs no server; calls are tested by network_transport_test.cc.
#include "client/load/grpc_session.h"

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/load/message_reader.h"

namespace relu::load {
namespace {

class NullStream final : public GrpcStream {
 public:
  void OnMessage(std::string_view) override { ADD_FAILURE(); }
  void OnClosed(absl::StatusCode, std::string) override { ADD_FAILURE(); }
};

TEST(GrpcSessionTest, TimeoutsAreWrittenAsGrpcWantsThem) {
  EXPECT_EQ(GrpcTimeoutText(250), "250m");
  EXPECT_EQ(GrpcTimeoutText(99'999'999), "99999999m");
  EXPECT_EQ(GrpcTimeoutText(100'000'000), "100000S");
  EXPECT_EQ(GrpcTimeoutText(std::int64_t{1} << 60), "99999999S");
}

TEST(GrpcSessionTest, BeginsWithThePrefaceOfHttp2AndTheCall) {
  GrpcSession session({.path = "/s/M",
                       .authority = "a:1",
                       .scheme = "http",
                       .timeout = {},
                       .user_agent = "t",
                       .metadata = {}});
  const std::string message = WithMessagePrefix("hello, this is the message");
  NullStream stream;
  stream.unsent = message;
  ASSERT_TRUE(session.Start(stream));
  std::string output;
  ASSERT_TRUE(session.TakeOutput(output).ok());
  EXPECT_TRUE(output.starts_with("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
  EXPECT_NE(output.find(message), std::string::npos);
  EXPECT_TRUE(stream.unsent.empty());
}

TEST(GrpcSessionTest, BytesThatAreNoHttp2EndTheConnection) {
  GrpcSession session({});
  std::string output;
  ASSERT_TRUE(session.TakeOutput(output).ok());
  absl::Status status = session.Receive("HTTP/1.1 400 Bad Request\r\n\r\n");
  if (status.ok()) {
    status = session.TakeOutput(output);
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()),
              testing::StartsWith("malformed HTTP/2: "));
}

}  // namespace
}  // namespace relu::load
