// The messages of grpc.health.v1 Check, which are two fields of one number
// each. Encoded here by hand: gRPC's C++ library brings no generated code for
// them, and a second copy of that package may collide with one that a program
// links already.

#ifndef CLIENT_HEALTH_CALL_H_
#define CLIENT_HEALTH_CALL_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace relu {

inline constexpr char kHealthCheckMethod[] = "/grpc.health.v1.Health/Check";

// HealthCheckRequest{string service = 1}
std::string EncodeHealthRequest(std::string_view service);

// HealthCheckResponse{ServingStatus status = 1}: true if it is SERVING.
// INTERNAL if `bytes` are no such message.
absl::StatusOr<bool> DecodeHealthResponse(std::string_view bytes);

}  // namespace relu

#endif  // CLIENT_HEALTH_CALL_H_
