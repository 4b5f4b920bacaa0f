#include "client/cli/http_get.h"

#include <poll.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/load/socket.h"
#include "core/base/status_macros.h"
#include "fmt/format.h"

namespace relu {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

constexpr std::size_t kMaxPageBytes = std::size_t{64} << 20;

absl::Status WaitFor(const load::Socket& socket, short events,
                     SteadyTime deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
  pollfd ready{.fd = socket.descriptor(), .events = events, .revents = 0};
  if (left.count() <= 0 ||
      poll(&ready, 1, static_cast<int>(left.count())) <= 0) {
    return absl::UnavailableError("no answer within the timeout");
  }
  return absl::OkStatus();
}

// All that comes until the server closes.
absl::StatusOr<std::string> ReadToEnd(load::Socket& socket,
                                      SteadyTime deadline) {
  std::string text;
  std::array<char, 65536> buffer{};
  while (text.size() <= kMaxPageBytes) {
    RETURN_IF_ERROR(WaitFor(socket, POLLIN, deadline));
    const auto count = socket.Read(buffer);
    if (!count.ok()) {
      return text;  // The end, or what HTTP says is missing.
    }
    text.append(buffer.data(), *count);
  }
  return absl::UnavailableError(
      fmt::format("more than {} bytes", kMaxPageBytes));
}

absl::StatusOr<std::string> BodyOf(std::string_view answer) {
  constexpr std::string_view kEndOfHead = "\r\n\r\n";
  const std::size_t head = answer.find(kEndOfHead);
  if (!answer.starts_with("HTTP/1.") || head == std::string_view::npos) {
    return absl::UnavailableError("the answer is not HTTP");
  }
  const std::string_view line = answer.substr(0, answer.find('\r'));
  if (line.find(" 200") != std::size_t{8}) {
    return absl::UnavailableError(fmt::format("the answer is \"{}\"", line));
  }
  return std::string(answer.substr(head + kEndOfHead.size()));
}

}  // namespace

absl::StatusOr<std::string> HttpGet(std::string_view host_port,
                                    std::string_view path,
                                    std::chrono::milliseconds timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  ASSIGN_OR_RETURN(const auto addresses, load::ResolveTarget(host_port));
  ASSIGN_OR_RETURN(load::Socket socket, load::Socket::Connect(addresses[0]));
  RETURN_IF_ERROR(WaitFor(socket, POLLOUT, deadline));
  RETURN_IF_ERROR(socket.ConnectError());
  // HTTP/1.0: the body comes as it is, up to the end of the connection.
  const std::string request =
      fmt::format("GET {} HTTP/1.0\r\nHost: {}\r\n\r\n", path, host_port);
  RETURN_IF_ERROR(socket.Write(request).status());
  ASSIGN_OR_RETURN(const std::string answer, ReadToEnd(socket, deadline));
  return BodyOf(answer);
}

}  // namespace relu
