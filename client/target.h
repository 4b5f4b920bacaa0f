// Targets: what a user writes for one or many servers, as gRPC wants it.

#ifndef CLIENT_TARGET_H_
#define CLIENT_TARGET_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace relu {

struct Target {
  std::string uri;        // For gRPC.
  std::string authority;  // What the servers are called; empty: gRPC decides.
};

// A target of gRPC stays what it is: "host:port", "dns:///host:port",
// "ipv4:1.2.3.4:1,5.6.7.8:2", "unix:/path", ... A list "a:1,b:2" of hosts
// becomes one of their addresses; the names are looked up here, once (gRPC
// follows changes of a name only if it stands alone). INVALID_ARGUMENT if
// `text` is empty, has a scheme of others ("http://") or an entry of the list
// is no "host:port"; UNAVAILABLE if a name is not known.
absl::StatusOr<Target> ParseTarget(std::string_view text);

// True if `target` names this host alone, which no proxy can reach for us.
bool IsLocal(std::string_view target);

}  // namespace relu

#endif  // CLIENT_TARGET_H_
