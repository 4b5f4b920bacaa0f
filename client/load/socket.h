// Socket: a connection to a server, which never blocks.

#ifndef CLIENT_LOAD_SOCKET_H_
#define CLIENT_LOAD_SOCKET_H_

#include <sys/socket.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace relu::load {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

// The addresses of a gRPC target: "host:port", "dns:///host:port",
// "ipv4:1.2.3.4:port,...", "ipv6:[::1]:port,..." or "unix:/path". Looks names
// up, and waits for that. INVALID_ARGUMENT if it is no such target; UNAVAILABLE
// if the name is not known.
absl::StatusOr<std::vector<SocketAddress>> ResolveTarget(
    std::string_view target);

// What ":authority" says for `target`.
std::string AuthorityOf(std::string_view target);

// "host" of "host:port", without the brackets of "[::1]:port".
std::string HostOf(std::string_view host_port);

// For one thread. Closes on destruction.
class Socket {
 public:
  Socket() = default;
  ~Socket();
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;

  // Begins to connect. It is connected once it is writable and
  // ConnectError() is OK.
  static absl::StatusOr<Socket> Connect(const SocketAddress& address);

  int descriptor() const { return descriptor_; }
  absl::Status ConnectError() const;

  // Reads what has come, as far as it fits. Returns how much that is: 0 if
  // there is nothing now. UNAVAILABLE if the connection is broken, or the
  // server has closed it.
  absl::StatusOr<std::size_t> Read(std::span<char> buffer);
  // Writes as much of `bytes` as fits now. Returns how much that is.
  absl::StatusOr<std::size_t> Write(std::string_view bytes);

 private:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}

  int descriptor_ = -1;
};

}  // namespace relu::load

#endif  // CLIENT_LOAD_SOCKET_H_
