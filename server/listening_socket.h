// ListeningSocket: a socket that clients connect to, over TCP or within this
// host.

#ifndef SERVER_LISTENING_SOCKET_H_
#define SERVER_LISTENING_SOCKET_H_

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace relu {

// Thread-compatible. What it accepts does not block, and no program that is
// started inherits it.
class ListeningSocket {
 public:
  // A socket for each address of `host`, an IP address or a name; one for IPv4
  // and IPv6 together if it is all addresses of this host. Port 0: any free
  // one, the same for all. A connection that does not confirm for `silence`
  // what it was sent is closed; 0: after the system's time. UNAVAILABLE, with
  // the system's reason, if no address can be listened on.
  static absl::StatusOr<std::vector<ListeningSocket>> OnTcp(
      const std::string& host, int port, std::chrono::milliseconds silence);

  // A socket at `path`, where there is no file. UNAVAILABLE, with the system's
  // reason, if it cannot be listened on.
  static absl::StatusOr<ListeningSocket> OnPath(const std::string& path);

  // For OnTcp() and OnPath(): takes over `fd`.
  explicit ListeningSocket(int fd) : fd_(fd) {}

  ListeningSocket(ListeningSocket&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)) {}
  ListeningSocket& operator=(ListeningSocket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~ListeningSocket();

  int fd() const { return fd_; }
  int port() const;  // 0 if it is not of TCP.

  // The connection of a client that waits, which is the caller's to close; -1,
  // with errno, if there is none.
  int Accept() const;

 private:
  int fd_;
};

}  // namespace relu

#endif  // SERVER_LISTENING_SOCKET_H_
