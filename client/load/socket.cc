#include "client/load/socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "fmt/format.h"

namespace relu::load {
namespace {

absl::Status Unavailable(std::string_view what, int error) {
  return absl::UnavailableError(
      fmt::format("{}: {}", what, std::generic_category().message(error)));
}

absl::StatusOr<SocketAddress> UnixAddress(std::string_view path) {
  if (path.starts_with("///")) {
    path.remove_prefix(2);  // "unix:///path" is "unix:/path".
  }
  SocketAddress address;
  auto& name = reinterpret_cast<sockaddr_un&>(address.storage);
  if (path.empty() || path.size() >= sizeof(name.sun_path)) {
    return absl::InvalidArgumentError(
        fmt::format("\"unix:{}\": a path of 1 to {} bytes is wanted", path,
                    sizeof(name.sun_path) - 1));
  }
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, path.data(), path.size());
  address.size =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

// Adds the addresses of "host:port" or "[::1]:port" to `addresses`.
absl::Status AddHost(std::string_view host_port,
                     std::vector<SocketAddress>& addresses) {
  const std::size_t colon = host_port.rfind(':');
  if (colon == std::string_view::npos || colon == 0 ||
      colon + 1 == host_port.size() || host_port[colon - 1] == ':') {
    return absl::InvalidArgumentError(fmt::format(
        "\"{}\": an address such as \"localhost:8001\" is wanted", host_port));
  }
  const std::string host = HostOf(host_port);
  const std::string port(host_port.substr(colon + 1));
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (error != 0) {
    return absl::UnavailableError(
        fmt::format("\"{}\": {}", host_port, gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found,
                                                                 &freeaddrinfo);
  for (const addrinfo* entry = found; entry != nullptr;
       entry = entry->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    address.size = entry->ai_addrlen;
    addresses.push_back(address);
  }
  return absl::OkStatus();
}

// `target` without "dns:" and its like; unix: stays.
std::string_view WithoutScheme(std::string_view target) {
  for (const std::string_view scheme : {"dns:///", "dns:", "ipv4:", "ipv6:"}) {
    if (target.starts_with(scheme)) {
      target.remove_prefix(scheme.size());
      break;
    }
  }
  return target;
}

}  // namespace

absl::StatusOr<std::vector<SocketAddress>> ResolveTarget(
    std::string_view target) {
  constexpr std::string_view kUnix = "unix:";
  std::vector<SocketAddress> addresses;
  if (target.starts_with(kUnix)) {
    ASSIGN_OR_RETURN(addresses.emplace_back(),
                     UnixAddress(target.substr(kUnix.size())));
    return addresses;
  }
  std::string_view hosts = WithoutScheme(target);
  while (true) {
    const std::size_t comma = hosts.find(',');
    RETURN_IF_ERROR(AddHost(hosts.substr(0, comma), addresses));
    if (comma == std::string_view::npos) {
      return addresses;
    }
    hosts.remove_prefix(comma + 1);
  }
}

std::string AuthorityOf(std::string_view target) {
  if (target.starts_with("unix:")) {
    return "localhost";  // As gRPC's own client says.
  }
  const std::string_view hosts = WithoutScheme(target);
  return std::string(hosts.substr(0, hosts.find(',')));
}

std::string HostOf(std::string_view host_port) {
  std::string_view host = host_port.substr(0, host_port.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  return std::string(host);
}

Socket::~Socket() {
  if (descriptor_ >= 0) {
    close(descriptor_);
  }
}

Socket::Socket(Socket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

absl::StatusOr<Socket> Socket::Connect(const SocketAddress& address) {
  Socket socket(::socket(address.storage.ss_family,
                         SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.descriptor_ < 0) {
    return Unavailable("no socket can be opened", errno);
  }
  if (address.storage.ss_family != AF_UNIX) {
    const int on = 1;
    // Without it requests wait for others to share a packet with.
    setsockopt(socket.descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  if (::connect(socket.descriptor_,
                reinterpret_cast<const sockaddr*>(&address.storage),
                address.size) != 0 &&
      errno != EINPROGRESS) {
    return Unavailable("connection failed", errno);
  }
  return socket;
}

absl::Status Socket::ConnectError() const {
  int error = 0;
  socklen_t size = sizeof(error);
  if (getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
    error = errno;
  }
  return error == 0 ? absl::OkStatus()
                    : Unavailable("connection failed", error);
}

absl::StatusOr<std::size_t> Socket::Read(std::span<char> buffer) {
  const ssize_t count = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
  if (count == 0) {
    return absl::UnavailableError("the server closed the connection");
  }
  if (count < 0 && errno != EAGAIN && errno != EINTR) {
    return Unavailable("the connection broke", errno);
  }
  return static_cast<std::size_t>(std::max<ssize_t>(count, 0));
}

absl::StatusOr<std::size_t> Socket::Write(std::string_view bytes) {
  const ssize_t count =
      ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (count < 0 && errno != EAGAIN && errno != EINTR) {
    return Unavailable("the connection broke", errno);
  }
  return static_cast<std::size_t>(std::max<ssize_t>(count, 0));
}

}  // namespace relu::load
