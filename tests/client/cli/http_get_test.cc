#include "client/cli/http_get.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "fmt/format.h"

namespace relu {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::StartsWith;

// Answers one connection with a text, or not at all.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_, any, size), 0);
    EXPECT_EQ(::getsockname(listener_, any, &size), 0);
    EXPECT_EQ(::listen(listener_, 1), 0);
    address_ = fmt::format("127.0.0.1:{}", ntohs(address.sin_port));
    if (!answer_.empty()) {
      thread_ = std::jthread([this] { Answer(); });
    }
  }
  ~OneAnswer() {
    thread_ = {};
    ::close(listener_);
  }

  const std::string& address() const { return address_; }
  const std::string& request() const { return request_; }

 private:
  void Answer() {
    const int socket = ::accept(listener_, nullptr, nullptr);
    std::array<char, 4096> buffer{};
    while (request_.find("\r\n\r\n") == std::string::npos) {
      const ssize_t count = ::recv(socket, buffer.data(), buffer.size(), 0);
      request_.append(buffer.data(),
                      static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    }
    EXPECT_EQ(::send(socket, answer_.data(), answer_.size(), 0),
              static_cast<ssize_t>(answer_.size()));
    ::close(socket);
  }

  const std::string answer_;
  int listener_ = -1;
  std::string address_;
  std::string request_;
  std::jthread thread_;
};

TEST(HttpGetTest, ReturnsTheBody) {
  const OneAnswer server(
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nbody\n");
  const auto body = HttpGet(server.address(), "/metrics", seconds(30));
  ASSERT_TRUE(body.ok()) << body.status();
  EXPECT_EQ(*body, "body\n");
  EXPECT_THAT(server.request(), StartsWith("GET /metrics HTTP/1.0\r\n"));
}

TEST(HttpGetTest, OtherAnswersAreErrors) {
  for (const std::string answer :
       {"HTTP/1.1 404 Not Found\r\n\r\n", "SSH-2.0-x\r\n\r\n",
        "HTTP/1.1 200 OK\r\n"}) {
    const OneAnswer server(answer);
    EXPECT_EQ(HttpGet(server.address(), "/", seconds(30)).status().code(),
              absl::StatusCode::kUnavailable)
        << answer;
  }
}

TEST(HttpGetTest, SilentAndMissingServersAreErrors) {
  const OneAnswer silent("");
  EXPECT_THAT(
      std::string(
          HttpGet(silent.address(), "/", milliseconds(20)).status().message()),
      HasSubstr("timeout"));
  EXPECT_EQ(HttpGet("127.0.0.1:no-port", "/", seconds(1)).status().code(),
            absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace relu
