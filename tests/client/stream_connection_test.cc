// The bytes; messages and errors are tested by infer_stream_test.cc.
#include "client/stream_connection.h"

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "client/call_queue.h"
#include "client/channels.h"
#include "client/client_transport.h"
#include "proto/inference.pb.h"
#include "tests/client/fake_server.h"

namespace relu {
namespace {

std::unique_ptr<InferStream::Connection> ConnectionTo(
    const FakeServer& server, CallQueue& queue,
    const std::string& method = kStreamMethod) {
  return std::make_unique<InferStream::Connection>(
      Channels::Open(server.address(), {}).value()->Next().any(), queue,
      CallSetting{.method = method,
                  .deadline = std::chrono::system_clock::time_point::max(),
                  .token = {},
                  .attempts_before = 0},
      std::chrono::seconds(30), server.address());
}

TEST(StreamConnectionTest, MessagesGoBothWays) {
  const FakeServer server;
  CallQueue queue;
  const auto connection = ConnectionTo(server, queue);
  inference::ModelInferRequest request;
  request.set_id("42");
  ASSERT_TRUE(connection->Send(ToBuffer(request.SerializeAsString())).ok());
  inference::ModelStreamInferResponse response;
  ASSERT_TRUE(Parse(**connection->Receive(), response).ok());
  EXPECT_EQ(response.infer_response().id(), "42");
  connection->FinishSending();
  EXPECT_FALSE(connection->Receive().has_value());
  EXPECT_TRUE(connection->Finish().ok());
  EXPECT_TRUE(connection->Finish().ok());  // Again.
}

TEST(StreamConnectionTest, FinishLeavesAnswersOut) {
  const FakeServer server;
  CallQueue queue;
  const auto connection = ConnectionTo(server, queue);
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(connection->Send(ToBuffer("")).ok());
  }
  EXPECT_TRUE(connection->Finish().ok());
  EXPECT_EQ(server.inferences(), 200);
  EXPECT_EQ(connection->Send(ToBuffer("")).code(),
            absl::StatusCode::kUnavailable);
}

TEST(StreamConnectionTest, UnknownMethodEndsWithUnimplemented) {
  const FakeServer server;
  CallQueue queue;
  const auto connection = ConnectionTo(server, queue, "/no.Such/Method");
  EXPECT_FALSE(connection->Receive().has_value());
  EXPECT_EQ(connection->Finish().code(), absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace relu
