// The one mapping from a gRPC status to absl::Status, for everything that the
// client calls.

#ifndef CLIENT_CALL_STATUS_H_
#define CLIENT_CALL_STATUS_H_

#include <string_view>

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace relu {

// The same code and message, and the server's details if it sent any, as the
// payload kStatusDetailsUrl.
// UNAVAILABLE also names `address`, because the address is what is wrong most
// often.
absl::Status FromGrpcStatus(const grpc::Status& status,
                            std::string_view address);

}  // namespace relu

#endif  // CLIENT_CALL_STATUS_H_
