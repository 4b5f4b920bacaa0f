#include "client/cli/connection_options.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "client/client_options.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "fmt/format.h"

namespace relu {
namespace {

constexpr std::size_t kMaxCredentialBytes = std::size_t{1} << 20;

// Empty for no file.
absl::StatusOr<std::string> ReadCredential(const std::string& file) {
  if (file.empty()) {
    return std::string();
  }
  return ReadFile(file, kMaxCredentialBytes);
}

}  // namespace

std::string WithDefaultPort(std::string_view servers) {
  std::string text;
  while (true) {
    const std::size_t size = std::min(servers.find(','), servers.size());
    const std::string_view server = servers.substr(0, size);
    const bool host = (server.starts_with('[') && server.ends_with(']')) ||
                      server.find_first_of(":/") == std::string_view::npos;
    text += fmt::format("{}{}", server, host && !server.empty() ? ":8001" : "");
    if (size == servers.size()) {
      return text;
    }
    text += ',';
    servers.remove_prefix(size + 1);
  }
}

absl::StatusOr<ClientOptions> ClientOptionsOf(
    const ConnectionOptions& options) {
  ClientOptions client{.default_timeout = options.timeout};
  // The user has named the server: it is asked, whatever it says of itself.
  client.balancing.health_checks = false;
  TlsOptions& tls = client.tls;
  tls.enabled = options.tls || !options.ca_file.empty() ||
                !options.cert_file.empty() || !options.server_name.empty();
  tls.server_name = options.server_name;
  ASSIGN_OR_RETURN(tls.root_certificates, ReadCredential(options.ca_file));
  ASSIGN_OR_RETURN(tls.certificate_chain, ReadCredential(options.cert_file));
  ASSIGN_OR_RETURN(tls.private_key, ReadCredential(options.key_file));
  ASSIGN_OR_RETURN(std::string token, ReadCredential(options.token_file));
  if (token.empty()) {
    token = options.token;
  }
  // Files end with a line end, which is no part of a token.
  token.erase(token.find_last_not_of(" \t\r\n") + 1);
  if (!token.empty()) {
    client.token = [token] { return token; };
  }
  return client;
}

}  // namespace relu
