#include "server/open_connections.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "gtest/gtest.h"

#include "core/base/check.h"

namespace relu {
namespace {

using std::chrono::milliseconds;

// Both ends of a connection, open as long as it lives or until Close().
class SocketPair {
 public:
  SocketPair() {
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()) ==
          0);
  }
  ~SocketPair() { Close(); }
  SocketPair(const SocketPair&) = delete;
  SocketPair& operator=(const SocketPair&) = delete;

  int fd() const { return ends_[0]; }

  void Close() {
    for (int& end : ends_) {
      if (end >= 0) {
        close(end);
        end = -1;
      }
    }
  }

 private:
  std::array<int, 2> ends_ = {-1, -1};
};

constexpr OpenConnections::Clock::time_point kNow{};

TEST(OpenConnectionsTest, IsFullWithAsManyAsMayBe) {
  const SocketPair first;
  const SocketPair second;
  OpenConnections open(/*limit=*/2);
  EXPECT_FALSE(open.full(kNow));
  open.Add(first.fd());
  EXPECT_FALSE(open.full(kNow));
  open.Add(second.fd());
  EXPECT_TRUE(open.full(kNow));
}

TEST(OpenConnectionsTest, CountsThoseThatAreOpen) {
  const SocketPair first;
  SocketPair second;
  OpenConnections open(/*limit=*/100);
  open.Add(first.fd());
  open.Add(second.fd());
  EXPECT_EQ(open.count(), 2);
  second.Close();
  EXPECT_EQ(open.count(), 2);
  open.ForgetClosed();
  EXPECT_EQ(open.count(), 1);
}

TEST(OpenConnectionsTest, AClosedOneMakesRoom) {
  SocketPair first;
  const SocketPair second;
  OpenConnections open(/*limit=*/2);
  open.Add(first.fd());
  open.Add(second.fd());
  first.Close();
  EXPECT_FALSE(open.full(kNow));
}

TEST(OpenConnectionsTest, ADescriptorThatIsUsedAgainIsNotThatConnection) {
  SocketPair first;
  const int fd = first.fd();
  OpenConnections open(/*limit=*/1);
  open.Add(fd);
  first.Close();
  const SocketPair second;
  ASSERT_TRUE(second.fd() == fd || dup2(second.fd(), fd) == fd);
  EXPECT_FALSE(open.full(kNow));
  if (second.fd() != fd) {
    close(fd);
  }
}

TEST(OpenConnectionsTest, LooksNotTwiceWithinATenthOfASecond) {
  SocketPair first;
  OpenConnections open(/*limit=*/1);
  open.Add(first.fd());
  ASSERT_TRUE(open.full(kNow));
  first.Close();
  EXPECT_TRUE(open.full(kNow + milliseconds(99)));
  EXPECT_FALSE(open.full(kNow + milliseconds(100)));
}

}  // namespace
}  // namespace relu
