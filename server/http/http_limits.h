// What one connection of a client may take: bytes and time.

#ifndef SERVER_HTTP_HTTP_LIMITS_H_
#define SERVER_HTTP_HTTP_LIMITS_H_

#include <chrono>
#include <cstddef>

namespace relu {

struct HttpLimits {
  std::size_t max_body_bytes = 64 << 20;  // Packed, and unpacked.
  std::size_t max_header_bytes = 16 << 10;
  // How long a handshake, a request or an answer may be on its way.
  std::chrono::milliseconds transfer_timeout{30'000};
  // How long a connection may stand without a request.
  std::chrono::milliseconds idle_timeout{120'000};
};

}  // namespace relu

#endif  // SERVER_HTTP_HTTP_LIMITS_H_
