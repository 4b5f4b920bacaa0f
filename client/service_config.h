// The service config of our channels: what gRPC is to do by itself. Format:
// grpc/grpc-proto, service_config.proto, as JSON.

#ifndef CLIENT_SERVICE_CONFIG_H_
#define CLIENT_SERVICE_CONFIG_H_

#include <string>

#include "absl/status/status.h"

#include "client/client_options.h"

namespace relu {

// Balancing, ejection and health checks; and, with `retries`, these for the
// methods that may be repeated.
std::string ServiceConfig(const ClientOptions& options, bool retries);

// Whether the config asks for health checks: gRPC makes them where calls are
// shared out alone.
bool ChecksHealth(const BalancingOptions& options);

// INVALID_ARGUMENT, naming the option, if one is out of the range that gRPC
// takes: it would ignore the whole config.
absl::Status CheckServiceConfig(const ClientOptions& options);

}  // namespace relu

#endif  // CLIENT_SERVICE_CONFIG_H_
