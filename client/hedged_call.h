// HedgedCall: one call that is sent again before its first send has failed.
// gRPC 1.51 has no hedging, so this is ours; the rules are those of its
// proposal A6.

#ifndef CLIENT_HEDGED_CALL_H_
#define CLIENT_HEDGED_CALL_H_

#include <chrono>
#include <memory>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "grpcpp/support/byte_buffer.h"

#include "client/call_queue.h"
#include "client/channels.h"
#include "client/client_options.h"
#include "client/retry_budget.h"
#include "client/unary_call.h"

namespace relu {

// Begins the call. `done` runs once, on the queue's thread, with the first
// answer that is final: one that is OK, or an error that another server would
// answer with too. All references outlive the queue's events.
void StartHedgedCall(Channels& channels, CallQueue& queue, RetryBudget& budget,
                     const HedgingOptions& options, const CallSetting& setting,
                     grpc::ByteBuffer request,
                     absl::AnyInvocable<void(UnaryAnswer)> done);

}  // namespace relu

#endif  // CLIENT_HEDGED_CALL_H_
