#include "client/load/socket.h"

#include <netinet/in.h>
#include <sys/un.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace relu::load {
namespace {

int PortOf(const SocketAddress& address) {
  return ntohs(
      address.storage.ss_family == AF_INET6
          ? reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_port
          : reinterpret_cast<const sockaddr_in&>(address.storage).sin_port);
}

TEST(SocketTest, ResolvesTheTargetsOfGrpc) {
  for (const std::string& target : std::vector<std::string>{
           "127.0.0.1:8001", "dns:///127.0.0.1:8001", "dns:127.0.0.1:8001",
           "ipv4:127.0.0.1:8001", "ipv6:[::1]:8001", "[::1]:8001"}) {
    const auto addresses = ResolveTarget(target);
    ASSERT_TRUE(addresses.ok()) << addresses.status();
    ASSERT_EQ(addresses->size(), 1U) << target;
    EXPECT_EQ(PortOf((*addresses)[0]), 8001) << target;
  }
}

TEST(SocketTest, ResolvesLists) {
  const auto addresses = ResolveTarget("ipv4:127.0.0.1:1,127.0.0.2:2");
  ASSERT_TRUE(addresses.ok()) << addresses.status();
  ASSERT_EQ(addresses->size(), 2U);
  EXPECT_EQ(PortOf((*addresses)[1]), 2);
}

TEST(SocketTest, ResolvesPathsOfUnixSockets) {
  for (const std::string& target :
       std::vector<std::string>{"unix:/run/relud", "unix:///run/relud"}) {
    const auto addresses = ResolveTarget(target);
    ASSERT_TRUE(addresses.ok()) << addresses.status();
    const auto& name =
        reinterpret_cast<const sockaddr_un&>((*addresses)[0].storage);
    EXPECT_EQ(name.sun_family, AF_UNIX);
    EXPECT_STREQ(name.sun_path, "/run/relud");
  }
}

TEST(SocketTest, RefusesWhatIsNoTarget) {
  for (const std::string& target : std::vector<std::string>{
           "", "localhost", "localhost:", ":8001", "127.0.0.1:1,",
           "unix:", "unix:/" + std::string(200, 'x')}) {
    EXPECT_EQ(ResolveTarget(target).status().code(),
              absl::StatusCode::kInvalidArgument)
        << target;
  }
  EXPECT_EQ(ResolveTarget("localhost:no-such-port").status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(SocketTest, AuthorityIsTheFirstHost) {
  EXPECT_EQ(AuthorityOf("localhost:8001"), "localhost:8001");
  EXPECT_EQ(AuthorityOf("dns:///a:1"), "a:1");
  EXPECT_EQ(AuthorityOf("ipv4:1.2.3.4:1,5.6.7.8:2"), "1.2.3.4:1");
  EXPECT_EQ(AuthorityOf("unix:/run/relud"), "localhost");
}

}  // namespace
}  // namespace relu::load
