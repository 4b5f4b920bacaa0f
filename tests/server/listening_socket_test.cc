#include "server/listening_socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"

#include "core/base/check.h"

namespace relu {
namespace {

using std::chrono::milliseconds;

std::vector<ListeningSocket> OnTcp(const std::string& host, int port = 0,
                                   milliseconds silence = milliseconds(0)) {
  auto sockets = ListeningSocket::OnTcp(host, port, silence);
  CHECK(sockets.ok());
  return *std::move(sockets);
}

// A client that is connected, or not.
class TcpClient {
 public:
  TcpClient(int family, int port)
      : fd_(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in6 ipv6{};
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_addr = in6addr_loopback;
    ipv6.sin6_port = htons(static_cast<in_port_t>(port));
    sockaddr_in ipv4{};
    ipv4.sin_family = AF_INET;
    ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ipv4.sin_port = ipv6.sin6_port;
    connected_ = family == AF_INET6
                     ? connect(fd_, reinterpret_cast<sockaddr*>(&ipv6),
                               sizeof(ipv6)) == 0
                     : connect(fd_, reinterpret_cast<sockaddr*>(&ipv4),
                               sizeof(ipv4)) == 0;
  }
  ~TcpClient() { close(fd_); }
  TcpClient(const TcpClient&) = delete;
  TcpClient& operator=(const TcpClient&) = delete;

  bool connected() const { return connected_; }

 private:
  const int fd_;
  bool connected_ = false;
};

int OptionOf(int fd, int level, int option) {
  int value = -1;
  socklen_t bytes = sizeof(value);
  CHECK(getsockopt(fd, level, option, &value, &bytes) == 0);
  return value;
}

TEST(ListeningSocketTest, AcceptsWhoConnects) {
  const auto sockets = OnTcp("127.0.0.1");
  ASSERT_EQ(sockets.size(), 1U);
  EXPECT_EQ(sockets.front().Accept(), -1);
  EXPECT_EQ(errno, EAGAIN);
  const TcpClient client(AF_INET, sockets.front().port());
  ASSERT_TRUE(client.connected());
  const int fd = sockets.front().Accept();
  EXPECT_GE(fd, 0);
  close(fd);
}

TEST(ListeningSocketTest, ConnectionsAreAsAServerWantsThem) {
  const auto sockets = OnTcp("127.0.0.1", 0, /*silence=*/milliseconds(20'000));
  const TcpClient client(AF_INET, sockets.front().port());
  const int fd = sockets.front().Accept();
  ASSERT_GE(fd, 0);
  EXPECT_NE(OptionOf(fd, IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_EQ(OptionOf(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 20'000);
  EXPECT_NE(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  close(fd);
}

TEST(ListeningSocketTest, AllAddressesAreThoseOfIpv4AndOfIpv6) {
  for (const char* host : {"0.0.0.0", "::", "[::]", ""}) {
    const auto sockets = OnTcp(host);
    ASSERT_EQ(sockets.size(), 1U) << host;
    EXPECT_TRUE(TcpClient(AF_INET, sockets.front().port()).connected()) << host;
    EXPECT_TRUE(TcpClient(AF_INET6, sockets.front().port()).connected())
        << host;
  }
}

TEST(ListeningSocketTest, OneAddressIsThatOneAlone) {
  const auto ipv4 = OnTcp("127.0.0.1");
  EXPECT_FALSE(TcpClient(AF_INET6, ipv4.front().port()).connected());
  const auto ipv6 = OnTcp("[::1]");
  EXPECT_FALSE(TcpClient(AF_INET, ipv6.front().port()).connected());
  EXPECT_TRUE(TcpClient(AF_INET6, ipv6.front().port()).connected());
}

TEST(ListeningSocketTest, TheAddressesOfANameHaveOnePort) {
  const auto sockets = OnTcp("localhost");
  for (const ListeningSocket& socket : sockets) {
    EXPECT_EQ(socket.port(), sockets.front().port());
  }
  EXPECT_TRUE(TcpClient(AF_INET, sockets.front().port()).connected());
}

TEST(ListeningSocketTest, APortInUseIsUnavailable) {
  const auto first = OnTcp("127.0.0.1");
  EXPECT_EQ(
      ListeningSocket::OnTcp("127.0.0.1", first.front().port(), milliseconds(0))
          .status(),
      absl::UnavailableError(std::strerror(EADDRINUSE)));
}

TEST(ListeningSocketTest, AnUnknownHostIsUnavailable) {
  EXPECT_EQ(ListeningSocket::OnTcp("nowhere.invalid", 0, milliseconds(0))
                .status()
                .code(),
            absl::StatusCode::kUnavailable);
}

TEST(ListeningSocketTest, APathIsListenedOn) {
  const std::string path =
      std::filesystem::temp_directory_path() /
      ("listening_socket_test." + std::to_string(getpid()));
  std::filesystem::remove(path);
  const auto listening = ListeningSocket::OnPath(path);
  ASSERT_TRUE(listening.ok()) << listening.status();
  EXPECT_EQ(listening->port(), 0);
  const int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, path.size());
  EXPECT_EQ(connect(client, reinterpret_cast<const sockaddr*>(&address),
                    sizeof(address)),
            0);
  const int fd = listening->Accept();
  EXPECT_GE(fd, 0);
  close(fd);
  close(client);
  EXPECT_EQ(ListeningSocket::OnPath(path).status(),
            absl::UnavailableError(std::strerror(EADDRINUSE)));
  std::filesystem::remove(path);
}

TEST(ListeningSocketTest, TooLongAPathIsUnavailable) {
  EXPECT_EQ(ListeningSocket::OnPath(std::string(200, 'x')).status().code(),
            absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace relu
