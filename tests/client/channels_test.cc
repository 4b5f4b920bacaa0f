#include "client/channels.h"

#include <chrono>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"

#include "client/client_options.h"
#include "proto/inference.grpc.pb.h"
#include "proto/inference.pb.h"
#include "tests/client/fake_server.h"

namespace relu {
namespace {

using testing::HasSubstr;

bool Live(const std::shared_ptr<grpc::Channel>& channel) {
  grpc::ClientContext context;
  inference::ServerLiveResponse response;
  return inference::GRPCInferenceService::NewStub(channel)
      ->ServerLive(&context, {}, &response)
      .ok();
}

TEST(ChannelsTest, TakeTurnsAndEachHasItsOwnConnection) {
  const FakeServer server;
  const auto channels =
      Channels::Open(server.address(), {.channels = 3}).value();
  for (int i = 0; i < 6; ++i) {
    EXPECT_TRUE(Live(channels->Next().any()));
  }
  EXPECT_EQ(server.peers().size(), 3U);
  for (int i = 0; i < 6; ++i) {
    EXPECT_TRUE(Live(channels->Next(/*retries=*/false).any()));
  }
  EXPECT_EQ(server.peers().size(), 6U);
}

TEST(ChannelsTest, ClientsDoNotShareConnections) {
  const FakeServer server;
  const auto one = Channels::Open(server.address(), {}).value();
  const auto other = Channels::Open(server.address(), {}).value();
  EXPECT_TRUE(Live(one->Next().any()));
  EXPECT_TRUE(Live(other->Next().any()));
  EXPECT_EQ(server.peers().size(), 2U);
}

TEST(ChannelsTest, ChecksOfHealthNeedNoConnectionOfTheirOwn) {
  const FakeServer server;
  const auto channels = Channels::Open(server.address(), {}).value();
  ServingChannel& channel = channels->Next();
  channel.AwaitHealth(std::chrono::system_clock::time_point::max());
  EXPECT_NE(channel.Choose(), channel.any());
  EXPECT_TRUE(Live(channel.Choose()));
  EXPECT_TRUE(Live(channel.any()));
  EXPECT_EQ(server.peers().size(), 1U);
}

TEST(ChannelsTest, OptionsThatCannotBeAreRefused) {
  using std::chrono::milliseconds;
  const auto error = [](const ClientOptions& options) {
    const absl::Status status = Channels::Open("a:1", options).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  EXPECT_THAT(error({.channels = 0}), HasSubstr("channels"));
  EXPECT_THAT(error({.channels = 1025}), HasSubstr("channels"));
  EXPECT_THAT(error({.default_timeout = milliseconds(0)}),
              HasSubstr("default_timeout"));
  EXPECT_THAT(error({.max_reconnect_backoff = milliseconds(0)}),
              HasSubstr("max_reconnect_backoff"));
  EXPECT_THAT(error({.tls = {.certificate_chain = "x"}}), HasSubstr("tls"));
  EXPECT_THAT(error({.retry = {.max_attempts = 9}}), HasSubstr("retry"));
}

}  // namespace
}  // namespace relu
