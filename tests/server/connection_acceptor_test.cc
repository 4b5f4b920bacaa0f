#include "server/connection_acceptor.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/base/check.h"
#include "core/base/mutex.h"
#include "server/listening_socket.h"
#include "server/log.h"
#include "server/open_connections.h"

namespace relu {
namespace {

// A connection to a port of the loopback address.
class AcceptedClient {
 public:
  explicit AcceptedClient(int port)
      : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<in_port_t>(port));
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&address),
                         sizeof(address)) == 0;
  }
  ~AcceptedClient() { close(fd_); }
  AcceptedClient(const AcceptedClient&) = delete;
  AcceptedClient& operator=(const AcceptedClient&) = delete;

  bool connected() const { return connected_; }

  // What the server sends, one byte; 0 if it closes the connection.
  char Read() const {
    char byte = 0;
    return recv(fd_, &byte, 1, 0) == 1 ? byte : '\0';
  }

 private:
  const int fd_;
  bool connected_ = false;
};

// Two listeners, of which each greets its clients with its letter.
class ConnectionAcceptorTest : public testing::Test {
 protected:
  void Start(const ConnectionAcceptor::Limits& limits) {
    std::vector<ConnectionAcceptor::Listener> listeners;
    for (const char letter : {'a', 'b'}) {
      auto sockets =
          ListeningSocket::OnTcp("127.0.0.1", 0, std::chrono::milliseconds(0));
      CHECK(sockets.ok());
      ports_.push_back(sockets->front().port());
      listeners.push_back(
          {*std::move(sockets), [this, letter](int fd) { Take(fd, letter); }});
    }
    acceptor_ = std::make_unique<ConnectionAcceptor>(
        std::move(listeners), limits, [this] {
          const MutexLock lock(mu_);
          ++refused_;
        });
  }

  ~ConnectionAcceptorTest() override {
    acceptor_ = nullptr;
    CloseAll();
  }

  void Take(int fd, char letter) ABSL_LOCKS_EXCLUDED(mu_) {
    {
      const MutexLock lock(mu_);
      taken_.push_back(fd);
    }
    EXPECT_EQ(send(fd, &letter, 1, MSG_NOSIGNAL), 1);
  }

  // As gRPC closes connections: without a word to the acceptor.
  void CloseAll() ABSL_LOCKS_EXCLUDED(mu_) {
    const MutexLock lock(mu_);
    for (const int fd : std::exchange(taken_, {})) {
      close(fd);
    }
  }

  int refused() ABSL_LOCKS_EXCLUDED(mu_) {
    const MutexLock lock(mu_);
    return refused_;
  }

  std::vector<int> ports_;
  std::unique_ptr<ConnectionAcceptor> acceptor_;

 private:
  Mutex mu_;
  std::vector<int> taken_ ABSL_GUARDED_BY(mu_);
  int refused_ ABSL_GUARDED_BY(mu_) = 0;
};

TEST_F(ConnectionAcceptorTest, HandsOnWhatEachListenerAccepts) {
  Start({.max_connections = 100});
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(AcceptedClient(ports_[0]).Read(), 'a');
    EXPECT_EQ(AcceptedClient(ports_[1]).Read(), 'b');
  }
  EXPECT_EQ(refused(), 0);
}

TEST_F(ConnectionAcceptorTest, ClosesAndCountsWhatIsBeyondTheLimit) {
  testing::internal::CaptureStderr();
  ASSERT_TRUE(SetLogSettings({}).ok());
  Start({.max_connections = 2});
  const AcceptedClient first(ports_[0]);
  const AcceptedClient second(ports_[0]);
  EXPECT_EQ(first.Read(), 'a');
  EXPECT_EQ(second.Read(), 'a');
  EXPECT_EQ(AcceptedClient(ports_[0]).Read(), '\0');
  EXPECT_EQ(AcceptedClient(ports_[0]).Read(), '\0');
  // The other has a limit of its own.
  EXPECT_EQ(AcceptedClient(ports_[1]).Read(), 'b');
  acceptor_ = nullptr;
  EXPECT_EQ(refused(), 2);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, testing::HasSubstr("gRPC has 2 connections, the most that "
                                      "--grpc-max-connections allows"));
  EXPECT_EQ(log.find("gRPC has"), log.rfind("gRPC has")) << "said twice";
}

TEST_F(ConnectionAcceptorTest, SaysOnceThatThereAreMany) {
  testing::internal::CaptureStderr();
  ASSERT_TRUE(SetLogSettings({}).ok());
  Start({.max_connections = 100, .many = 3});
  EXPECT_EQ(AcceptedClient(ports_[0]).Read(), 'a');
  EXPECT_EQ(AcceptedClient(ports_[1]).Read(), 'b');
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  testing::internal::CaptureStderr();
  // They count together, whichever way they came.
  EXPECT_EQ(AcceptedClient(ports_[0]).Read(), 'a');
  // It counts now and then: often enough that it could say so again.
  std::this_thread::sleep_for(2 * OpenConnections::kLookPeriod);
  EXPECT_EQ(AcceptedClient(ports_[1]).Read(), 'b');
  acceptor_ = nullptr;
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log,
              testing::HasSubstr("gRPC has 3 connections: with so many "
                                 "--grpc-poll-strategy=epoll1 may answer"));
  EXPECT_EQ(log.find("gRPC has"), log.rfind("gRPC has")) << "said twice";
}

TEST_F(ConnectionAcceptorTest, ThoseThatWereClosedAreNotMany) {
  testing::internal::CaptureStderr();
  ASSERT_TRUE(SetLogSettings({}).ok());
  Start({.max_connections = 100, .many = 3});
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(AcceptedClient(ports_[0]).Read(), 'a');
    CloseAll();
  }
  acceptor_ = nullptr;
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(ConnectionAcceptorTest, TakesOthersWhenConnectionsWereClosed) {
  Start({.max_connections = 1});
  EXPECT_EQ(AcceptedClient(ports_[0]).Read(), 'a');
  CloseAll();
  // It looks for closed ones now and then.
  while (AcceptedClient(ports_[0]).Read() != 'a') {
  }
}

TEST_F(ConnectionAcceptorTest, ListensNoLongerThanItLives) {
  Start({.max_connections = 100});
  EXPECT_EQ(AcceptedClient(ports_[0]).Read(), 'a');
  acceptor_ = nullptr;
  EXPECT_FALSE(AcceptedClient(ports_[0]).connected());
}

}  // namespace
}  // namespace relu
