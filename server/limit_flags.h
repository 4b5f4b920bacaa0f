// The flags of what clients may take of the server: bytes, calls, connections.

#ifndef SERVER_LIMIT_FLAGS_H_
#define SERVER_LIMIT_FLAGS_H_

#include <cstdint>

namespace CLI {
class App;
}  // namespace CLI

namespace relu {

// Times are in seconds, as the flags have them.
struct LimitSettings {
  int max_message_bytes = 256 << 20;
  std::int64_t max_in_flight_bytes = 512 << 20;
  int max_stream_requests = 256;
  std::int64_t max_stream_bytes = 64 << 20;

  std::int64_t grpc_buffer_bytes = 512 << 20;
  std::int64_t grpc_max_connections = 10'000;
  int grpc_max_streams = 1024;
  double grpc_answer_timeout_seconds = 60;  // 0: none.
  double grpc_keepalive_seconds = 60;
  double grpc_keepalive_timeout_seconds = 20;
  double grpc_max_connection_age_seconds = 0;   // 0: none.
  double grpc_max_connection_idle_seconds = 0;  // 0: none.
};

// Adds the flags to `app`, which writes to `settings`.
void AddLimitFlags(CLI::App& app, LimitSettings& settings);

}  // namespace relu

#endif  // SERVER_LIMIT_FLAGS_H_
