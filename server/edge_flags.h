// The flags of HTTP, Unix sockets, TLS and tokens: where clients come from, and
// what they may do.

#ifndef SERVER_EDGE_FLAGS_H_
#define SERVER_EDGE_FLAGS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "server/access.h"
#include "server/http/tls_context.h"

namespace CLI {
class App;
}  // namespace CLI

namespace relu {

struct EdgeSettings {
  bool allow_http = true;
  std::string http_address = "0.0.0.0";
  int http_port = 8000;
  int http_threads = 0;  // 0: the CPU budget.
  std::int64_t http_max_connections = 1024;
  double http_timeout_seconds = 30;
  double http_idle_seconds = 120;

  std::string grpc_unix_socket = {};  // Empty: none.
  std::string http_unix_socket = {};
  int unix_socket_mode = 0600;

  TlsFiles tls = {};  // Without a certificate: in the clear.
  bool metrics_tls = true;

  TokenFiles tokens = {};
  OpenGroups open_groups = OpenGroups::kHealth;
  bool allow_shared_memory = false;
  bool allow_control = false;
  std::string control_address = "127.0.0.1";
  std::optional<int> control_grpc_port = {};  // nullopt: none.
  std::optional<int> control_http_port = {};
};

// Adds the flags to `app`, which writes to `settings`.
void AddEdgeFlags(CLI::App& app, EdgeSettings& settings);

// What settings say together that cannot be; empty if there is nothing.
std::string Contradiction(const EdgeSettings& settings);

}  // namespace relu

#endif  // SERVER_EDGE_FLAGS_H_
