// How reluctl reaches a server: address, time, encryption and token.

#ifndef CLIENT_CLI_CONNECTION_OPTIONS_H_
#define CLIENT_CLI_CONNECTION_OPTIONS_H_

#include <chrono>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "client/client_options.h"

namespace relu {

struct ConnectionOptions {
  std::string server = "localhost:8001";
  std::chrono::milliseconds timeout{10'000};  // Of each call.
  bool tls = false;                           // Also if a file is named:
  std::string ca_file = {};    // Whom to trust; empty: the system's.
  std::string cert_file = {};  // What we show of ourselves,
  std::string key_file = {};   // and its key.
  std::string server_name = {};
  std::string token_file = {};
  std::string token = {};  // Instead of the file: from the environment.
};

// The address or addresses `servers`, with relud's port 8001 for each host that
// has none: "relud", "[::1]", "a,b:1". All else stays what it is.
std::string WithDefaultPort(std::string_view servers);

// Reads the files. Errors name them.
absl::StatusOr<ClientOptions> ClientOptionsOf(const ConnectionOptions& options);

}  // namespace relu

#endif  // CLIENT_CLI_CONNECTION_OPTIONS_H_
