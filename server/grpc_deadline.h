// When the client of a call stops waiting.

#ifndef SERVER_GRPC_DEADLINE_H_
#define SERVER_GRPC_DEADLINE_H_

#include <chrono>

#include "grpc/support/time.h"
#include "grpcpp/server_context.h"

namespace relu {

// time_point::max() if it waits for more than a day.
inline std::chrono::steady_clock::time_point DeadlineOf(
    const grpc::ServerContext& context) {
  using std::chrono::steady_clock;
  // As gRPC has it: in a time_point of nanoseconds, what a client may ask for
  // overflows.
  const gpr_timespec deadline = context.raw_deadline();
  const gpr_timespec left =
      gpr_time_sub(deadline, gpr_now(deadline.clock_type));
  constexpr int kDay = 24;
  if (gpr_time_cmp(left, gpr_time_from_hours(kDay, GPR_TIMESPAN)) > 0) {
    return steady_clock::time_point::max();
  }
  return steady_clock::now() + std::chrono::seconds(left.tv_sec) +
         std::chrono::nanoseconds(left.tv_nsec);
}

}  // namespace relu

#endif  // SERVER_GRPC_DEADLINE_H_
