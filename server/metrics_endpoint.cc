#include "server/metrics_endpoint.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/check.h"
#include "core/metrics/metrics.h"
#include "fmt/format.h"
#include "server/log.h"

namespace relu {
namespace {

int ServeMetrics(mg_connection* connection, void* user_data) {
  constexpr int kOk = 200;
  constexpr int kMethodNotAllowed = 405;
  const std::string_view method =
      mg_get_request_info(connection)->request_method;
  if (method != "GET" && method != "HEAD") {
    mg_send_http_error(connection, kMethodNotAllowed, "%s",
                       "expected GET or HEAD");
    return kMethodNotAllowed;
  }
  const std::string text = static_cast<const Metrics*>(user_data)->Text();
  const std::string header = fmt::format(
      "HTTP/1.1 200 OK\r\n"
      "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
      "Content-Length: {}\r\n"
      "Connection: close\r\n"
      "\r\n",
      text.size());
  mg_write(connection, header.data(), header.size());
  if (method == "GET") {
    mg_write(connection, text.data(), text.size());
  }
  return kOk;
}

// Keeps civetweb from a log file of its own.
int LogForCivetweb(const mg_connection* /*connection*/, const char* message) {
  Log(LogLevel::kDebug, fmt::format("metrics endpoint: {}", message));
  return 1;
}

// Connects and hangs up. 0.0.0.0 and :: lead to this host too. Does nothing if
// `address` is a name.
void Knock(const std::string& address, int port) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(static_cast<std::uint16_t>(port));
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = v4.sin_port;
  const sockaddr* target = nullptr;
  socklen_t size = 0;
  if (inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
    target = reinterpret_cast<const sockaddr*>(&v4);
    size = sizeof(v4);
  } else if (inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1) {
    target = reinterpret_cast<const sockaddr*>(&v6);
    size = sizeof(v6);
  } else {
    return;
  }
  const int fd = socket(target->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  connect(fd, target, size);
  close(fd);
}

}  // namespace

absl::StatusOr<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::Start(
    std::string_view address, int port, const Metrics& metrics) {
  // civetweb wants "[::1]:8002".
  const bool ipv6 = address.find(':') != std::string_view::npos;
  const std::string listening = ipv6 ? fmt::format("[{}]:{}", address, port)
                                     : fmt::format("{}:{}", address, port);
  const char* options[] = {
      "listening_ports",
      listening.c_str(),
      // One scrapes, one is spare, so that a stuck client is not the end.
      "num_threads",
      "2",
      "request_timeout_ms",
      "5000",
      "enable_directory_listing",
      "no",
      nullptr,
  };
  mg_callbacks callbacks{};
  callbacks.log_message = LogForCivetweb;
  mg_context* const context = mg_start(&callbacks, nullptr, options);
  if (context == nullptr) {
    return absl::UnavailableError(fmt::format(
        "the metrics cannot listen on {}: expected an IP address of this host "
        "and a port that no other program uses",
        listening));
  }
  mg_server_port listened{};
  CHECK(mg_get_server_ports(context, 1, &listened) == 1);
  // civetweb takes a pointer that it could write through; ServeMetrics() does
  // not.
  mg_set_request_handler(context, "/metrics$", ServeMetrics,
                         const_cast<Metrics*>(&metrics));
  return std::make_unique<MetricsEndpoint>(context, address, listened.port);
}

MetricsEndpoint::MetricsEndpoint(mg_context* context, std::string_view address,
                                 int port)
    : context_(context), address_(address), port_(port) {}

MetricsEndpoint::~MetricsEndpoint() {
  // civetweb notices only every 2 s that it is to stop, or when somebody
  // connects: a server that ends must not take so long.
  std::atomic<bool> stopped = false;
  std::thread knocking([&] {
    while (!stopped) {
      Knock(address_, port_);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  mg_stop(context_);
  stopped = true;
  knocking.join();
}

}  // namespace relu
