// ServingChannel: a way to the servers that say that they serve, and to all of
// them while none says so.

#ifndef CLIENT_SERVING_CHANNEL_H_
#define CLIENT_SERVING_CHANNEL_H_

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>

#include "grpc/impl/codegen/connectivity_state.h"
#include "grpcpp/channel.h"

#include "client/call_queue.h"

namespace relu {

// Why not leave it to gRPC alone: a channel that checks health fails every call
// while no server says that it serves. But a server whose repository holds one
// bad model says so of the whole, and serves all others; and one that drains
// still answers. So health decides which servers are preferred, never whether
// there is one. Thread-safe.
class ServingChannel {
 public:
  // `checked` leaves out servers that do not serve; nullptr: health does not
  // matter. `any` goes to all.
  ServingChannel(std::shared_ptr<grpc::Channel> checked,
                 std::shared_ptr<grpc::Channel> any);

  const std::shared_ptr<grpc::Channel>& any() const { return any_; }

  // The channel for an inference, as of now.
  const std::shared_ptr<grpc::Channel>& Choose();

  // Connects, and waits until Choose() knows of the health of servers: until
  // one serves, or none can be reached that does; until `deadline` at most. At
  // once for all but the first calls.
  void AwaitHealth(std::chrono::system_clock::time_point deadline);
  // The same without waiting. True: it is known. Else `event` comes when to ask
  // again, not OK if that is the deadline.
  bool HealthIsKnown(std::chrono::system_clock::time_point deadline,
                     CallQueue& queue, QueueEvent& event);

 private:
  // nullopt: health is known.
  std::optional<grpc_connectivity_state> StateWhileUnknown();

  const std::shared_ptr<grpc::Channel> checked_;
  const std::shared_ptr<grpc::Channel> any_;
  // Relaxed: only a flag, with which nothing is published.
  std::atomic<bool> known_;
};

}  // namespace relu

#endif  // CLIENT_SERVING_CHANNEL_H_
