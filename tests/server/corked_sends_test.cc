#include "server/corked_sends.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

#include "core/base/check.h"
#include "server/listening_socket.h"

namespace relu {
namespace {

// A connection over TCP, as gRPC sets it up.
class TcpConnection {
 public:
  TcpConnection() {
    const auto listening =
        ListeningSocket::OnTcp("127.0.0.1", /*port=*/0, /*silence=*/{});
    CHECK(listening.ok());
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<in_port_t>(listening->front().port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sender_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(sender_, reinterpret_cast<const sockaddr*>(&address),
                  sizeof(address)) == 0);
    const int on = 1;
    CHECK(setsockopt(sender_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
    while (receiver_ < 0) {
      receiver_ = listening->front().Accept();
    }
  }
  ~TcpConnection() {
    close(sender_);
    close(receiver_);
  }
  TcpConnection(const TcpConnection&) = delete;
  TcpConnection& operator=(const TcpConnection&) = delete;

  void Send(std::string_view text) {
    std::string bytes(text);
    iovec part = {.iov_base = bytes.data(), .iov_len = bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    EXPECT_EQ(sendmsg(sender_, &message, MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

  // Bytes that have not left the socket.
  int held() const {
    int bytes = 0;
    CHECK(ioctl(sender_, SIOCOUTQNSD, &bytes) == 0);
    return bytes;
  }

  // Waits until so many bytes have come.
  std::string Receive(std::size_t count) {
    std::string bytes;
    std::array<char, 64> some;
    while (bytes.size() < count) {
      const ssize_t got = recv(receiver_, some.data(), some.size(), 0);
      if (got > 0) {
        bytes.append(some.data(), static_cast<std::size_t>(got));
      }
    }
    return bytes;
  }

 private:
  int sender_ = -1;
  int receiver_ = -1;
};

TEST(CorkedSendsTest, HoldWhatIsSentUntilTheyEnd) {
  TcpConnection connection;
  // The system holds nothing for more than 200 ms: again if that has passed.
  bool held = false;
  for (int i = 0; i < 50 && !held; ++i) {
    {
      const CorkedSends corked;
      connection.Send("first, ");
      connection.Send("second");
      held = connection.held() == 13;
    }
    EXPECT_EQ(connection.held(), 0);
    EXPECT_EQ(connection.Receive(13), "first, second");
  }
  EXPECT_TRUE(held);
}

TEST(CorkedSendsTest, AllConnectionsArePushed) {
  std::array<TcpConnection, 3> connections;
  {
    const CorkedSends corked;
    for (int i = 0; i < 2; ++i) {
      for (TcpConnection& connection : connections) {
        connection.Send("half");
      }
    }
  }
  for (TcpConnection& connection : connections) {
    EXPECT_EQ(connection.held(), 0);
    EXPECT_EQ(connection.Receive(8), "halfhalf");
  }
}

TEST(CorkedSendsTest, NothingIsHeldAfterwards) {
  TcpConnection connection;
  std::optional<CorkedSends> corked(std::in_place);
  corked.reset();
  connection.Send("at once");
  EXPECT_EQ(connection.held(), 0);
  EXPECT_EQ(connection.Receive(7), "at once");
}

}  // namespace
}  // namespace relu
