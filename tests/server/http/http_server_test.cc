#include "server/http/http_server.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <deque>
#include <filesystem>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/server/http/http_fixture.h"

namespace relu {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::chrono::minutes kForever{5};
constexpr std::string_view kGetRoot = "GET / HTTP/1.1\r\n\r\n";

absl::Status StartError(const HttpListener& listener) {
  EchoHandler::Shared shared;
  return HttpServer::Start(
             {.listeners = {listener}},
             [&] { return std::make_unique<EchoHandler>(shared); })
      .status();
}

TEST(HttpServerTest, ServesManyConnectionsOnFewThreads) {
  HttpServerOptions options;
  options.threads = 2;
  HttpFixture http(options);
  std::deque<HttpClient> clients;
  for (int i = 0; i < 100; ++i) {
    clients.emplace_back(http.port()).Send(kGetRoot);
  }
  for (HttpClient& client : clients) {
    EXPECT_THAT(client.Read(), StartsWith("HTTP/1.1 200 OK\r\n"));
  }
  // All of them still stand.
  for (HttpClient& client : clients) {
    client.Send(kGetRoot);
    EXPECT_THAT(client.Read(), StartsWith("HTTP/1.1 200 OK\r\n"));
  }
}

TEST(HttpServerTest, ClientsBeyondTheLimitAreTurnedAway) {
  HttpServerOptions options;
  options.max_connections = 2;
  HttpFixture http(options);
  std::deque<HttpClient> clients;
  for (int i = 0; i < 2; ++i) {
    clients.emplace_back(http.port()).Send(kGetRoot);
    EXPECT_THAT(clients.back().Read(), StartsWith("HTTP/1.1 200 OK\r\n"));
  }
  HttpClient third(http.port());
  EXPECT_THAT(third.ReadToEnd(),
              AllOf(StartsWith("HTTP/1.1 503 "),
                    HasSubstr("Retry-After: 1\r\n"), HasSubstr("\"error\"")));
  clients.pop_back();
  // As soon as the server has seen that one went, there is room.
  std::string answer;
  do {
    HttpClient fourth(http.port());
    fourth.Send(kGetRoot);
    answer = fourth.Read();
  } while (!answer.starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST(HttpServerTest, AFullListenerLeavesTheOthersOpen) {
  HttpServerOptions options;
  options.listeners.resize(1);  // One more.
  options.max_connections = 1;
  HttpFixture http(options);
  HttpClient first(http.server().port(0));
  first.Send(kGetRoot);
  EXPECT_THAT(first.Read(), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(HttpClient(http.server().port(0)).ReadToEnd(),
              StartsWith("HTTP/1.1 503 "));
  HttpClient other(http.server().port(1));
  other.Send(kGetRoot);
  EXPECT_THAT(other.Read(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST(HttpServerTest, PortInUseReturnsUnavailableAndItsNumber) {
  HttpFixture http;
  const absl::Status status = StartError({.port = http.port()});
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("127.0.0.1:" + std::to_string(http.port())));
}

TEST(HttpServerTest, WrongAddressReturnsUnavailable) {
  EXPECT_EQ(StartError({.address = "no.such.host."}).code(),
            absl::StatusCode::kUnavailable);
}

TEST(HttpServerTest, HostNamesAndIpv6AreAddresses) {
  HttpFixture named({}, {.address = "localhost"});
  EXPECT_GT(named.port(), 0);
  for (const char* address : {"::1", "[::1]"}) {
    const absl::Status status = StartError({.address = address});
    // Some machines have no IPv6.
    EXPECT_TRUE(status.ok() || absl::IsUnavailable(status)) << status;
  }
}

TEST(HttpServerTest, ListensOnAUnixSocket) {
  const std::string path = testing::TempDir() + "/http_server_test.socket";
  std::filesystem::remove(path);
  HttpFixture http({}, {.unix_path = path});
  EXPECT_EQ(http.port(), 0);
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  ASSERT_EQ(
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
      0);
  ASSERT_GT(send(fd, kGetRoot.data(), kGetRoot.size(), 0), 0);
  char answer[12] = {};
  ASSERT_EQ(recv(fd, answer, sizeof(answer), MSG_WAITALL), 12);
  EXPECT_EQ(std::string_view(answer, 12), "HTTP/1.1 200");
  close(fd);
}

TEST(HttpServerTest, TooLongAUnixPathIsRefused) {
  EXPECT_EQ(StartError({.unix_path = std::string(200, 'x')}).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(HttpServerTest, DrainMakesEveryAnswerTheLast) {
  HttpServerOptions options;
  options.threads = 1;
  HttpFixture http(options);
  HttpClient client(http.port());
  client.Send(kGetRoot);
  EXPECT_THAT(client.Read(), StartsWith("HTTP/1.1 200 OK\r\n"));
  http.server().BeginDrain();
  client.Send(kGetRoot);
  EXPECT_THAT(client.ReadToEnd(), AllOf(StartsWith("HTTP/1.1 200 OK\r\n"),
                                        HasSubstr("Connection: close\r\n")));
  // New clients are served, too.
  EXPECT_THAT(http.Fetch(kGetRoot), HasSubstr("Connection: close\r\n"));
}

TEST(HttpServerTest, ShutdownAnswersWhatHasArrivedAndEndsTheRest) {
  HttpFixture http;
  HttpClient idle(http.port());
  idle.Send(kGetRoot);
  EXPECT_THAT(idle.Read(), StartsWith("HTTP/1.1 200 OK\r\n"));
  HttpClient busy(http.port());
  busy.Send("GET /held HTTP/1.1\r\n\r\n");
  http.shared().held.wait();
  int lost = -1;
  std::thread shutdown([&] { lost = http.server().Shutdown(kForever); });
  EXPECT_EQ(idle.ReadToEnd(), "");
  http.shared().release.count_down();
  EXPECT_THAT(busy.ReadToEnd(), AllOf(StartsWith("HTTP/1.1 200 OK\r\n"),
                                      HasSubstr("Connection: close\r\n")));
  shutdown.join();
  EXPECT_EQ(lost, 0);
}

TEST(HttpServerTest, ShutdownCutsOffWhatTakesLongerThanTheTimeout) {
  HttpFixture http;
  HttpClient client(http.port());
  client.Send("GET /held HTTP/1.1\r\n\r\n");
  http.shared().held.wait();
  int lost = -1;
  std::thread shutdown(
      [&] { lost = http.server().Shutdown(std::chrono::milliseconds(0)); });
  EXPECT_EQ(client.ReadToEnd(), "");
  // The handler is told, and lets go of it.
  http.shared().gone.wait();
  http.shared().release.count_down();
  shutdown.join();
  EXPECT_EQ(lost, 1);
}

TEST(HttpServerTest, SecondShutdownDoesNothing) {
  HttpFixture http;
  EXPECT_EQ(http.server().Shutdown(kForever), 0);
  EXPECT_EQ(http.server().Shutdown(kForever), 0);
}

}  // namespace
}  // namespace relu
