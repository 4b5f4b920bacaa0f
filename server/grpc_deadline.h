// When the client of a call stops waiting.

#ifndef SERVER_GRPC_DEADLINE_H_
#define SERVER_GRPC_DEADLINE_H_

#include <algorithm>
#include <chrono>

#include "grpcpp/server_context.h"

namespace relu {

// time_point::max() if it waits forever.
inline std::chrono::steady_clock::time_point DeadlineOf(
    const grpc::ServerContext& context) {
  using std::chrono::steady_clock;
  const auto deadline = context.deadline();
  if (deadline == std::chrono::system_clock::time_point::max()) {
    return steady_clock::time_point::max();
  }
  // gRPC counts in system time, the scheduler in steady time. Far deadlines
  // must not overflow.
  const std::chrono::system_clock::duration left =
      deadline - std::chrono::system_clock::now();
  return steady_clock::now() +
         std::min<steady_clock::duration>(left, std::chrono::hours(24));
}

}  // namespace relu

#endif  // SERVER_GRPC_DEADLINE_H_
