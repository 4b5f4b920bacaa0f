#include "client/target.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace relu {
namespace {

constexpr std::array<std::string_view, 7> kSchemes = {
    "dns:", "ipv4:", "ipv6:", "unix:", "unix-abstract:", "vsock:", "xds:"};

bool HasScheme(std::string_view text) {
  return std::ranges::any_of(kSchemes, [text](std::string_view scheme) {
    return text.starts_with(scheme);
  });
}

// One address of a server.
struct Endpoint {
  bool ipv6 = false;
  std::string host;  // Numeric.
  std::string port;
};

absl::StatusOr<Endpoint> EndpointOf(const addrinfo& info) {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (getnameinfo(info.ai_addr, info.ai_addrlen, host.data(), host.size(),
                  port.data(), port.size(),
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return absl::InternalError("an address that cannot be written");
  }
  return Endpoint{.ipv6 = info.ai_family == AF_INET6,
                  .host = host.data(),
                  .port = port.data()};
}

// Looks "host:port" or "[::1]:port" up.
absl::Status AddEndpoints(std::string_view host_port,
                          std::vector<Endpoint>& endpoints) {
  const std::size_t colon = host_port.rfind(':');
  if (colon == std::string_view::npos || colon == 0 ||
      colon + 1 == host_port.size()) {
    return absl::InvalidArgumentError(fmt::format(
        "address \"{}\" of a list: one such as \"localhost:8001\" is wanted",
        host_port));
  }
  std::string host(host_port.substr(0, colon));
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(
      host.c_str(), std::string(host_port.substr(colon + 1)).c_str(), &hints,
      &found);
  if (error != 0) {
    return absl::UnavailableError(
        fmt::format("address \"{}\": {}", host_port, gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found,
                                                                 &freeaddrinfo);
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    ASSIGN_OR_RETURN(endpoints.emplace_back(), EndpointOf(*info));
  }
  return absl::OkStatus();
}

// "ipv4:a:1,b:2"; if there is an IPv6 address among them "ipv6:[..]:1,...",
// which holds the others too.
std::string UriOf(const std::vector<Endpoint>& endpoints) {
  const bool ipv6 = std::ranges::any_of(endpoints, &Endpoint::ipv6);
  std::vector<std::string> texts;
  for (const Endpoint& endpoint : endpoints) {
    texts.push_back(ipv6 ? fmt::format("[{}{}]:{}",
                                       endpoint.ipv6 ? "" : "::ffff:",
                                       endpoint.host, endpoint.port)
                         : fmt::format("{}:{}", endpoint.host, endpoint.port));
  }
  return fmt::format("{}:{}", ipv6 ? "ipv6" : "ipv4", fmt::join(texts, ","));
}

}  // namespace

absl::StatusOr<Target> ParseTarget(std::string_view text) {
  if (text.empty()) {
    return absl::InvalidArgumentError(
        "address: it is empty, a gRPC target such as \"localhost:8001\" is "
        "wanted");
  }
  const std::size_t scheme = text.find("://");
  if (scheme != std::string_view::npos && !HasScheme(text)) {
    return absl::InvalidArgumentError(fmt::format(
        "address \"{}\": \"{}://\" is not known, a gRPC target such as "
        "\"localhost:8001\" is wanted",
        text, text.substr(0, scheme)));
  }
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) {
    return Target{.uri = std::string(text), .authority = ""};
  }
  if (HasScheme(text)) {
    // gRPC would call the servers by the whole list.
    const std::size_t colon = text.find(':');
    return Target{
        .uri = std::string(text),
        .authority = std::string(text.substr(colon + 1, comma - colon - 1))};
  }
  Target target{.uri = {}, .authority = std::string(text.substr(0, comma))};
  std::vector<Endpoint> endpoints;
  while (true) {
    const std::size_t end = text.find(',');
    RETURN_IF_ERROR(AddEndpoints(text.substr(0, end), endpoints));
    if (end == std::string_view::npos) {
      break;
    }
    text.remove_prefix(end + 1);
  }
  target.uri = UriOf(endpoints);
  return target;
}

bool IsLocal(std::string_view target) {
  if (target.starts_with("unix:") || target.starts_with("unix-abstract:")) {
    return true;
  }
  for (const std::string_view scheme : {"dns:///", "dns:", "ipv4:", "ipv6:"}) {
    if (target.starts_with(scheme)) {
      target.remove_prefix(scheme.size());
      break;
    }
  }
  const auto is_local = [](std::string_view host) {
    return host == "localhost" || host.starts_with("localhost:") ||
           host.starts_with("127.") || host == "::1" ||
           host.starts_with("[::1]") || host.starts_with("[::ffff:127.");
  };
  while (true) {
    const std::size_t comma = target.find(',');
    if (!is_local(target.substr(0, comma))) {
      return false;
    }
    if (comma == std::string_view::npos) {
      return true;
    }
    target.remove_prefix(comma + 1);
  }
}

}  // namespace relu
