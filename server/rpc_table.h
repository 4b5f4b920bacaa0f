// The table of every RPC that the server answers, but ModelInfer: from the
// bytes of a request to the bytes of an answer, free of any transport.

#ifndef SERVER_RPC_TABLE_H_
#define SERVER_RPC_TABLE_H_

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "server/access_log.h"
#include "server/health.h"
#include "server/inference_handlers.h"
#include "server/relu_handlers.h"

namespace relu {

class AccessLog;
class ArrivedCalls;
class BackgroundCalls;
class Metrics;
class SharedMemoryRegions;
struct InferEnvironment;

// The payload of an error that may go away: after how many milliseconds it may
// be worth to call again, as text. gRPC's clients know it by this name.
inline constexpr char kRetryPushback[] = "grpc-retry-pushback-ms";

// `status` with that payload; unchanged if `pushback` is 0.
absl::Status WithPushback(absl::Status status,
                          std::chrono::milliseconds pushback);

struct Rpc {
  enum class Kind {
    kUnary,        // One request, one answer.
    kDeferred,     // The same, but the answer takes time: it comes later.
    kStream,       // Any number of requests, an answer to each.
    kHealthWatch,  // The request names a service; an answer at each change.
  };

  Kind kind = Kind::kUnary;
  // From one request message to one answer message; thread-safe. Malformed
  // bytes are INVALID_ARGUMENT. None for kHealthWatch and kDeferred.
  using Handler = std::function<absl::StatusOr<std::string>(std::string_view)>;
  Handler handler = {};

  // Who calls, beside the message. Borrowed for the call of `deferred`.
  struct Caller {
    std::chrono::steady_clock::time_point deadline =
        std::chrono::steady_clock::time_point::max();
    RequestIds ids = {};
    // Of the thread, if it is a worker of the dispatcher: what it adds is run
    // after the call.
    ArrivedCalls* arrived = nullptr;
  };

  // kDeferred: the same, but the answer is given to `answer`, exactly once and
  // from any thread. The request need not live on. What it returns, if not
  // empty, says that the client is gone, so that the answer comes soon; at any
  // time, from any thread.
  using Answer = std::function<void(absl::StatusOr<std::string>)>;
  using Cancel = std::function<void()>;
  std::function<Cancel(std::string_view request, const Caller& caller,
                       Answer answer)>
      deferred = {};
};

class RpcTable {
 public:
  // Both outlive the table.
  RpcTable(InferenceHandlers& handlers, const Health& health);
  // Its RPCs refer to it.
  RpcTable(const RpcTable&) = delete;
  RpcTable& operator=(const RpcTable&) = delete;

  // Adds TraceSetting, for the inferences of `access_log`, which outlives the
  // table. Before the first Find().
  void AddTraceSetting(AccessLog& access_log);

  // Adds Rank. `environment` outlives the table. Before the first Find().
  void AddRank(const InferEnvironment& environment);

  // Has Explain run on the threads of `calls` instead of on its callers', and
  // its errors counted in `metrics`. They use the table, which outlives
  // `calls`; nobody calls Explain after that. Before the first Find().
  void ExplainInBackground(BackgroundCalls& calls, Metrics& metrics);

  // Adds the RPCs of system shared memory, which answer UNIMPLEMENTED before,
  // for `regions`, which outlive the table. Before the first Find().
  void AddSharedMemory(SharedMemoryRegions& regions);

  // The RPC of this path, such as "/inference.GRPCInferenceService/ServerLive",
  // valid as long as the table. UNIMPLEMENTED, naming the method, if there is
  // none.
  absl::StatusOr<const Rpc*> Find(std::string_view path) const;

 private:
  const ReluHandlers relu_;
  std::map<std::string, Rpc, std::less<>> rpcs_;
};

}  // namespace relu

#endif  // SERVER_RPC_TABLE_H_
