#include "server/metrics_endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/metrics/metrics.h"

namespace relu {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// Sends an HTTP request to the loopback address and returns all of the answer.
std::string Fetch(int port, const std::string& request) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  EXPECT_EQ(
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
      0);
  EXPECT_EQ(send(fd, request.data(), request.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(request.size()));
  std::string answer;
  std::array<char, 4096> chunk{};
  ssize_t size = 0;
  while ((size = recv(fd, chunk.data(), chunk.size(), 0)) > 0) {
    answer.append(chunk.data(), static_cast<std::size_t>(size));
  }
  close(fd);
  return answer;
}

class MetricsEndpointTest : public testing::Test {
 protected:
  void SetUp() override {
    auto started = MetricsEndpoint::Start("127.0.0.1", 0, metrics_);
    ASSERT_TRUE(started.ok()) << started.status();
    endpoint_ = *std::move(started);
  }

  std::string Fetch(const std::string& request) {
    return relu::Fetch(endpoint_->port(),
                       request + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }

  Metrics metrics_{"1.2.3"};
  std::unique_ptr<MetricsEndpoint> endpoint_;
};

TEST_F(MetricsEndpointTest, GetReturnsTheMetricsAsText) {
  const std::string answer = Fetch("GET /metrics");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4"));
  EXPECT_THAT(answer, HasSubstr("relu_build_info{version=\"1.2.3\"} 1\n"));
}

TEST_F(MetricsEndpointTest, GetReturnsTheFiguresOfNow) {
  metrics_.CountRequestWithoutModel(absl::StatusCode::kNotFound);
  EXPECT_THAT(
      Fetch("GET /metrics"),
      HasSubstr(
          "relu_requests_total{model=\"\",version=\"\",code=\"NOT_FOUND\"} "
          "1\n"));
}

TEST_F(MetricsEndpointTest, HeadReturnsNoBody) {
  const std::string answer = Fetch("HEAD /metrics");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\n"));
}

TEST_F(MetricsEndpointTest, OtherMethodsAreRefused) {
  EXPECT_THAT(Fetch("POST /metrics"), StartsWith("HTTP/1.1 405 "));
}

TEST_F(MetricsEndpointTest, OtherPathsAreNotFound) {
  EXPECT_THAT(Fetch("GET /"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Fetch("GET /metrics/more"), StartsWith("HTTP/1.1 404 "));
}

TEST_F(MetricsEndpointTest, GarbageDoesNotEndIt) {
  relu::Fetch(endpoint_->port(), "\x16\x03\x01 nonsense\r\n\r\n");
  EXPECT_THAT(Fetch("GET /metrics"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(MetricsEndpointTest, PortInUseReturnsUnavailableAndItsNumber) {
  const auto second =
      MetricsEndpoint::Start("127.0.0.1", endpoint_->port(), metrics_);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()),
              HasSubstr("127.0.0.1:" + std::to_string(endpoint_->port())));
}

TEST(MetricsEndpointStartTest, WrongAddressReturnsUnavailable) {
  const Metrics metrics("1.2.3");
  EXPECT_EQ(MetricsEndpoint::Start("no.such.host.", 0, metrics).status().code(),
            absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace relu
