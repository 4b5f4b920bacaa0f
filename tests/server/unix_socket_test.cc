#include "server/unix_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

using testing::HasSubstr;

class UnixSocketTest : public testing::Test {
 protected:
  UnixSocketTest() { std::filesystem::remove(path_); }
  ~UnixSocketTest() override {
    CloseSocket();
    std::filesystem::remove(path_);
  }

  // What a server does.
  absl::Status ListenOnSocket() {
    CloseSocket();
    fd_ = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.c_str(), path_.native().size());
    if (bind(fd_, reinterpret_cast<const sockaddr*>(&address),
             sizeof(address)) != 0 ||
        listen(fd_, 1) != 0) {
      return absl::UnavailableError("cannot bind");
    }
    mode_at_bind_ = Mode();
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<UnixSocket>> Listen(mode_t mode = 0600) {
    return UnixSocket::Listen(path_, mode, [this] { return ListenOnSocket(); });
  }

  // The program that listened ended, and its socket stayed.
  void CloseSocket() {
    if (fd_ >= 0) {
      close(fd_);
      fd_ = -1;
    }
  }

  mode_t Mode() const {
    struct stat found {};
    EXPECT_EQ(lstat(path_.c_str(), &found), 0);
    return found.st_mode & 0777;
  }

  const std::filesystem::path path_ =
      std::filesystem::path(testing::TempDir()) / "unix_socket_test.socket";
  int fd_ = -1;
  mode_t mode_at_bind_ = 0;
};

TEST_F(UnixSocketTest, TheSocketHasItsModeAndGoesWithTheServer) {
  {
    const auto socket = Listen(0660);
    ASSERT_TRUE(socket.ok()) << socket.status();
    EXPECT_EQ(Mode(), 0660U);
    CloseSocket();
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(UnixSocketTest, TheSocketNeverHasMoreThanItsMode) {
  const mode_t before = umask(0);
  const auto socket = Listen(0600);
  EXPECT_EQ(umask(before), 0U);  // As it was.
  ASSERT_TRUE(socket.ok()) << socket.status();
  EXPECT_EQ(mode_at_bind_ & ~0600U, 0U);
}

TEST_F(UnixSocketTest, ASocketThatNobodyListensOnIsReplaced) {
  ASSERT_TRUE(ListenOnSocket().ok());
  CloseSocket();
  ASSERT_TRUE(std::filesystem::exists(path_));
  const auto socket = Listen();
  EXPECT_TRUE(socket.ok()) << socket.status();
}

TEST_F(UnixSocketTest, ASocketThatAnotherProgramListensOnIsLeftAlone) {
  ASSERT_TRUE(ListenOnSocket().ok());
  const auto socket = UnixSocket::Listen(
      path_, 0600, [] { return absl::InternalError("not called"); });
  EXPECT_EQ(socket.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(socket.status().message()),
              HasSubstr("another program listens"));
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(UnixSocketTest, WhatIsNoSocketIsLeftAlone) {
  std::ofstream(path_) << "precious";
  EXPECT_EQ(Listen().status().code(), absl::StatusCode::kFailedPrecondition);
  std::string word;
  std::ifstream(path_) >> word;
  EXPECT_EQ(word, "precious");
}

TEST_F(UnixSocketTest, ASocketOfTheNextServerIsLeftAlone) {
  {
    const auto socket = Listen();
    ASSERT_TRUE(socket.ok()) << socket.status();
    std::filesystem::remove(path_);
    ASSERT_TRUE(ListenOnSocket().ok());
  }
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(UnixSocketTest, ErrorsOfListeningAreReturned) {
  const auto socket = UnixSocket::Listen(
      path_, 0600, [] { return absl::UnavailableError("words"); });
  EXPECT_EQ(socket.status(), absl::UnavailableError("words"));
}

TEST_F(UnixSocketTest, TooLongAPathIsRefused) {
  EXPECT_EQ(UnixSocket::Listen("/" + std::string(200, 'x'), 0600,
                               [] { return absl::OkStatus(); })
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace relu
