// Bytes and messages; calls are tested by inference_client_test.cc.
#include "client/client_transport.h"

#include <chrono>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "client/client_options.h"
#include "proto/inference.pb.h"
#include "tests/client/fake_server.h"

namespace relu {
namespace {

using std::chrono::milliseconds;

TEST(ClientTransportTest, BytesComeBackAsTheyWent) {
  const std::string bytes("a\0b", 3);
  EXPECT_EQ(BytesOf(ToBuffer(bytes)), bytes);
  EXPECT_EQ(BytesOf(ToBuffer("")), "");
}

TEST(ClientTransportTest, ParsesMessagesAndRefusesOthers) {
  inference::ServerLiveResponse message;
  message.set_live(true);
  inference::ServerLiveResponse parsed;
  EXPECT_TRUE(Parse(ToBuffer(message.SerializeAsString()), parsed).ok());
  EXPECT_TRUE(parsed.live());
  EXPECT_EQ(Parse(ToBuffer("\xFF"), parsed).code(),
            absl::StatusCode::kInternal);
}

TEST(ClientTransportTest, TimeoutIsTheCallsOrTheDefault) {
  const auto transport =
      ClientTransport::Open("a:1", {.default_timeout = milliseconds(70)})
          .value();
  EXPECT_EQ(transport->TimeoutOf({}), milliseconds(70));
  EXPECT_EQ(transport->TimeoutOf({.timeout = milliseconds(5)}),
            milliseconds(5));
  EXPECT_EQ(transport->TimeoutOf({.timeout = milliseconds(-9)}),
            milliseconds(-1));
  EXPECT_EQ(transport->TimeoutOf({.timeout = milliseconds::max()}),
            std::chrono::hours(24 * 365));
}

TEST(ClientTransportTest, CallsAnyMethod) {
  const FakeServer server;
  const auto transport = ClientTransport::Open(server.address(), {}).value();
  inference::ServerReadyResponse response;
  EXPECT_TRUE(
      transport
          ->Call("ServerReady", inference::ServerReadyRequest(), {}, response)
          .ok());
  EXPECT_TRUE(response.ready());
  EXPECT_EQ(
      transport->CallBytes("/no.Such/Method", ToBuffer(""), {}).status().code(),
      absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace relu
