// RankCall: one call of relu.v1.ReluService/Rank, from the bytes of its request
// to those of its answer, free of any transport.

#ifndef SERVER_RANK_CALL_H_
#define SERVER_RANK_CALL_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/in_flight_bytes.h"
#include "core/base/mutex.h"
#include "core/batching/inference_request.h"
#include "core/metrics/reject_reason.h"
#include "core/repository/model.h"
#include "core/repository/model_guarantees.h"
#include "proto/relu.pb.h"
#include "server/infer_exchange.h"
#include "server/rank_scores.h"
#include "server/rpc_table.h"

namespace relu {

class ArrivedCalls;

// The items are rows of an InferenceRequest, which goes through the scheduler
// of its model as any other: in batches, with limits, deadline and
// cancellation. It is counted as a request, too.
class RankCall {
  // Keeps the constructor for Begin(), although std::make_shared calls it.
  struct ForBegin {
    explicit ForBegin() = default;
  };

 public:
  // Calls `answer` once: in this call, or later and on any thread.
  // `environment` outlives the call. Errors are those that proto/relu.proto
  // names, those about a model with its name in front.
  static Rpc::Cancel Begin(const InferEnvironment& environment,
                           std::string_view bytes, const Rpc::Caller& caller,
                           const Rpc::Answer& answer);

  RankCall(ForBegin, const InferEnvironment& environment,
           const Rpc::Caller& caller, Rpc::Answer answer);

 private:
  using Clock = InferenceRequest::Clock;

  // Up to the scheduler. What is not OK ends the call.
  absl::Status Prepare(std::string_view bytes);
  absl::Status PrepareItems();
  // Whole rows are put together for a model with a domain alone.
  absl::Status CheckItems();
  void Submit(std::shared_ptr<RankCall> self, ArrivedCalls* arrived)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Counts bytes that the call holds from now on.
  absl::Status Hold(std::size_t bytes);
  void Cancel() ABSL_LOCKS_EXCLUDED(mu_);

  // The end, on any thread: nothing else runs but Cancel().
  void Finish(const absl::Status& found) ABSL_LOCKS_EXCLUDED(mu_);
  std::string Answer();
  void Count(const absl::Status& status, Clock::time_point encode_start,
             Clock::time_point end);
  void LogAccess(const absl::Status& status, Clock::time_point end) const;
  RejectReason ReasonOfFailure(const absl::Status& status) const;

  const InferEnvironment& environment_;
  const Rpc::Answer answer_;
  // Copies of what the caller says.
  const std::string protocol_;
  const std::string request_id_;
  const std::string traceparent_;

  const Clock::time_point arrived_;
  std::size_t message_bytes_ = 0;
  HeldBytes held_;
  v1::RankRequest message_;
  std::vector<std::vector<std::byte>> converted_;
  std::vector<std::byte> output_;  // All rows of the output with the scores.
  ScoreColumn score_;
  InferenceRequest request_;
  std::vector<std::vector<std::byte>> whole_rows_;  // If values were moved.
  GuaranteeFindings findings_;
  Clock::time_point decoded_;
  std::shared_ptr<Model> model_;
  // Itself, until the scheduler has run the request.
  std::shared_ptr<RankCall> self_;

  Mutex mu_;
  // The same while the scheduler has the request: a call may be cancelled while
  // it ends.
  std::shared_ptr<Model> running_ ABSL_GUARDED_BY(mu_);
};

}  // namespace relu

#endif  // SERVER_RANK_CALL_H_
