#include "tests/server/http/http_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "core/base/check.h"
#include "fmt/format.h"

namespace relu {
namespace {

int Connect(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  CHECK(connect(fd, reinterpret_cast<const sockaddr*>(&address),
                sizeof(address)) == 0);
  return fd;
}

// The number in "Content-Length: N"; 0 without one.
std::size_t ContentLength(std::string_view header) {
  constexpr std::string_view kField = "Content-Length: ";
  const std::size_t begin = header.find(kField);
  return begin == std::string_view::npos
             ? 0
             : std::strtoull(header.data() + begin + kField.size(), nullptr,
                             10);
}

}  // namespace

HttpClient::HttpClient(int port) : fd_(Connect(port)) {}

HttpClient::~HttpClient() { close(fd_); }

void HttpClient::Send(std::string_view bytes) {
  // The server may have hung up: then what it said is still to be read.
  send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

void HttpClient::SendEnd() { shutdown(fd_, SHUT_WR); }

bool HttpClient::Receive() {
  std::array<char, 65536> chunk{};
  const ssize_t size = recv(fd_, chunk.data(), chunk.size(), 0);
  if (size > 0) {
    received_.append(chunk.data(), static_cast<std::size_t>(size));
  }
  return size > 0;
}

std::string HttpClient::Read(bool has_body) {
  std::size_t size = std::string::npos;
  while (received_.size() < size) {
    const std::size_t end = received_.find("\r\n\r\n");
    if (end != std::string::npos) {
      const std::string_view header =
          std::string_view(received_).substr(0, end);
      size = end + 4 + (has_body ? ContentLength(header) : 0);
    }
    if (received_.size() < size && !Receive()) {
      size = received_.size();
    }
  }
  const std::string answer = received_.substr(0, size);
  received_.erase(0, size);
  return answer;
}

std::string HttpClient::ReadToEnd() {
  while (Receive()) {
  }
  return std::exchange(received_, {});
}

std::optional<HttpResponse> EchoHandler::Refuse(const HttpCall& call) {
  return call.target() == "/refused"
             ? std::optional(ErrorResponse(401, "refused"))
             : std::nullopt;
}

void EchoHandler::Handle(std::shared_ptr<HttpCall> call) {
  HttpResponse response;
  response.content_type = "text/plain";
  response.body =
      fmt::format("{} {} {}", call->method(), call->target(), call->body());
  if (call->target() == "/large") {
    response.body.assign(1 << 20, 'x');
  }
  if (call->target() != "/held") {
    call->Respond(std::move(response));
    return;
  }
  call->WatchClient([this] { shared_.gone.count_down(); });
  shared_.held.count_down();
  std::thread([this, call, response] {
    shared_.release.wait();
    call->Post([call, response] { call->Respond(response); });
  }).detach();
}

HttpResponse EchoHandler::ErrorResponse(int status, std::string_view message) {
  HttpResponse response;
  response.status = status;
  response.body = message;
  return response;
}

HttpFixture::HttpFixture(HttpServerOptions options, HttpListener listener) {
  options.listeners.insert(options.listeners.begin(), std::move(listener));
  auto started = HttpServer::Start(
      options, [this] { return std::make_unique<EchoHandler>(shared_); });
  CHECK(started.ok());
  server_ = *std::move(started);
}

std::string HttpFixture::Fetch(std::string_view request) {
  HttpClient client(port());
  client.Send(request);
  return client.Read();
}

}  // namespace relu
