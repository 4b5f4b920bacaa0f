#include "server/listening_socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"

namespace relu {
namespace {

// An address of TCP or of the file system, as the system takes it.
struct SocketAddress {
  sockaddr_storage storage = {};
  socklen_t bytes = 0;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(&storage);
  }
  sockaddr_in& ipv4() { return reinterpret_cast<sockaddr_in&>(storage); }
  sockaddr_in6& ipv6() { return reinterpret_cast<sockaddr_in6&>(storage); }
};

absl::Status LastError() { return absl::UnavailableError(strerror(errno)); }

bool IsOfAnyAddress(SocketAddress& address) {
  return address.storage.ss_family == AF_INET6
             ? IN6_IS_ADDR_UNSPECIFIED(&address.ipv6().sin6_addr)
             : address.ipv4().sin_addr.s_addr == htonl(INADDR_ANY);
}

SocketAddress AnyIpv6Address() {
  SocketAddress address;
  address.ipv6().sin6_family = AF_INET6;
  address.bytes = sizeof(sockaddr_in6);
  return address;
}

void SetPort(int port, SocketAddress& address) {
  // Both families have it at the same place.
  address.ipv4().sin_port = htons(static_cast<in_port_t>(port));
}

absl::StatusOr<std::vector<SocketAddress>> Resolve(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  std::string_view name = host;
  if (name.starts_with('[') && name.ends_with(']')) {
    name = name.substr(1, name.size() - 2);
  }
  addrinfo* found = nullptr;
  const int error = getaddrinfo(
      name.empty() ? nullptr : std::string(name).c_str(), "0", &hints, &found);
  if (error != 0) {
    return absl::UnavailableError(gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list(found,
                                                                freeaddrinfo);
  std::vector<SocketAddress> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    SocketAddress& address = addresses.emplace_back();
    std::memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
    address.bytes = one->ai_addrlen;
  }
  return addresses;
}

void SetOption(int fd, int level, int option, int value) {
  // What a system does not have it does without.
  setsockopt(fd, level, option, &value, sizeof(value));
}

absl::StatusOr<ListeningSocket> ListenOn(const SocketAddress& address,
                                         std::chrono::milliseconds silence) {
  ListeningSocket socket(::socket(address.storage.ss_family,
                                  SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                                  0));
  if (socket.fd() < 0) {
    return LastError();
  }
  if (address.storage.ss_family != AF_UNIX) {
    // All but the first are inherited by the connections.
    SetOption(socket.fd(), SOL_SOCKET, SO_REUSEADDR, 1);
    SetOption(socket.fd(), IPPROTO_TCP, TCP_NODELAY, 1);
    if (silence.count() > 0) {
      SetOption(socket.fd(), IPPROTO_TCP, TCP_USER_TIMEOUT,
                static_cast<int>(silence.count()));
    }
    if (address.storage.ss_family == AF_INET6) {
      SetOption(socket.fd(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
    }
  }
  if (bind(socket.fd(), address.get(), address.bytes) != 0 ||
      listen(socket.fd(), SOMAXCONN) != 0) {
    return LastError();
  }
  return socket;
}

}  // namespace

absl::StatusOr<std::vector<ListeningSocket>> ListeningSocket::OnTcp(
    const std::string& host, int port, std::chrono::milliseconds silence) {
  ASSIGN_OR_RETURN(std::vector<SocketAddress> addresses, Resolve(host));
  if (IsOfAnyAddress(addresses.front())) {
    // Where there is no IPv6, that of IPv4.
    addresses = {AnyIpv6Address(), addresses.back()};
  }
  std::vector<ListeningSocket> sockets;
  absl::Status failure;
  for (SocketAddress& address : addresses) {
    SetPort(port, address);
    absl::StatusOr<ListeningSocket> socket = ListenOn(address, silence);
    if (!socket.ok()) {
      failure = socket.status();
      continue;
    }
    port = socket->port();
    sockets.push_back(*std::move(socket));
    if (IsOfAnyAddress(address)) {
      break;
    }
  }
  if (sockets.empty()) {
    return failure;
  }
  return sockets;
}

absl::StatusOr<ListeningSocket> ListeningSocket::OnPath(
    const std::string& path) {
  SocketAddress address;
  auto& file = reinterpret_cast<sockaddr_un&>(address.storage);
  if (path.size() >= sizeof(file.sun_path)) {
    return absl::UnavailableError("the path is too long");
  }
  file.sun_family = AF_UNIX;
  path.copy(file.sun_path, path.size());
  address.bytes = sizeof(file);
  return ListenOn(address, std::chrono::milliseconds(0));
}

ListeningSocket::~ListeningSocket() {
  if (fd_ >= 0) {
    close(fd_);
  }
}

int ListeningSocket::port() const {
  SocketAddress address;
  address.bytes = sizeof(address.storage);
  getsockname(fd_, address.get(), &address.bytes);
  return address.storage.ss_family == AF_UNIX ? 0
                                              : ntohs(address.ipv4().sin_port);
}

int ListeningSocket::Accept() const {
  return accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

}  // namespace relu
