// The one mapping from our errors to those of gRPC.

#ifndef SERVER_GRPC_STATUS_H_
#define SERVER_GRPC_STATUS_H_

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

#include "server/text.h"

namespace relu {

// The message travels in a header, where 8 KiB is the usual limit and a byte
// takes up to three.
inline constexpr std::size_t kMaxStatusMessageBytes = 2000;

inline grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) {
    return grpc::Status::OK;
  }
  const std::string_view message(status.message().data(),
                                 status.message().size());
  // Both enumerate the same canonical codes, with the same numbers.
  return {static_cast<grpc::StatusCode>(status.code()),
          Printable(message, kMaxStatusMessageBytes)};
}

}  // namespace relu

#endif  // SERVER_GRPC_STATUS_H_
