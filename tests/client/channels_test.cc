#include "client/channels.h"

#include "grpcpp/client_context.h"
#include "gtest/gtest.h"

#include "proto/inference.grpc.pb.h"
#include "proto/inference.pb.h"
#include "tests/client/fake_server.h"

namespace relu {
namespace {

TEST(ChannelsTest, LocalAddressesAreKnownInEveryForm) {
  for (const char* address :
       {"localhost", "localhost:8001", "127.0.0.1:8001", "127.1.2.3:1", "::1",
        "[::1]:8001", "unix:/run/relud.sock", "dns:///localhost:8001",
        "ipv4:127.0.0.1:8001", "ipv6:[::1]:8001"}) {
    EXPECT_TRUE(IsLocalAddress(address)) << address;
  }
}

TEST(ChannelsTest, OtherHostsAreNotLocal) {
  for (const char* address :
       {"", "relud:8001", "localhost.example.org:1", "10.0.0.1:8001",
        "[::2]:8001", "dns:///example.org:8001"}) {
    EXPECT_FALSE(IsLocalAddress(address)) << address;
  }
}

TEST(ChannelsTest, EachChannelHasItsOwnConnection) {
  const FakeServer server;
  const auto channels = OpenChannels(server.address(), 3);
  for (const auto& channel : channels) {
    grpc::ClientContext context;
    inference::ServerLiveResponse response;
    ASSERT_TRUE(inference::GRPCInferenceService::NewStub(channel)
                    ->ServerLive(&context, {}, &response)
                    .ok());
  }
  EXPECT_EQ(server.peers().size(), 3U);
}

}  // namespace
}  // namespace relu
