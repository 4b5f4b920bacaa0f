// InferExchange: one ModelInfer call from its request message to its answer,
// free of any transport.

#ifndef SERVER_INFER_EXCHANGE_H_
#define SERVER_INFER_EXCHANGE_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"

#include "core/base/in_flight_bytes.h"
#include "core/batching/inference_request.h"
#include "core/metrics/metrics.h"
#include "core/metrics/reject_reason.h"
#include "core/repository/model.h"
#include "core/repository/model_guarantees.h"
#include "core/repository/model_repository.h"
#include "proto/inference.pb.h"
#include "server/access_log.h"
#include "server/shared_memory.h"
#include "server/shared_memory_tensor.h"
#include "server/v2_codec.h"

namespace relu {

// What every call needs. All of it outlives the calls.
struct InferEnvironment {
  const ModelRepository& repository;
  Metrics& metrics;
  // Where requests, and answers until they are written, are counted; nullptr:
  // nowhere.
  InFlightBytes* in_flight_bytes = nullptr;
  // nullptr: there is none.
  AccessLog* access_log = nullptr;
  // The values of one answer may take so many bytes, those of one request in
  // shared memory, and a message that came packed.
  std::size_t max_message_bytes = 0;
  // nullptr: tensors are not in shared memory.
  const SharedMemoryRegions* shared_memory = nullptr;
};

// For one thread at a time. Meant to be reused, so that its memory is taken
// once. A call goes:
//
//   1. BeginDecode(); if it is OK, the transport parses the client's bytes into
//      message();
//   2. Prepare(); if it is OK, inference() is handed to the dispatcher, or
//      submitted to the scheduler of model(), which fills response() and calls
//      inference().done;
//   3. if that is OK, BeginEncode(); if it is OK, the transport makes the bytes
//      of response();
//   4. Finish() with the status of whichever of these failed, or OK;
//   5. the transport sends the bytes or the status, then calls Reset().
class InferExchange {
 public:
  using Clock = InferenceRequest::Clock;

  // `environment` outlives the exchange.
  explicit InferExchange(const InferEnvironment& environment);

  // The client's message of so many bytes has arrived, and is parsed from now
  // on. RESOURCE_EXHAUSTED if the server holds as many bytes as it may.
  absl::Status BeginDecode(Clock::time_point arrived,
                           std::size_t message_bytes);

  // Where the transport parses the request into.
  inference::ModelInferRequest& message() { return message_; }

  // Finds the model, checks the message and makes the answer's frame. The
  // client waits until `deadline`. Errors: those of ModelRepository::Find,
  // DecodeRequest, ModelGuarantees::CheckInputs, PrepareResponse and
  // FindSharedOutputs; RESOURCE_EXHAUSTED as for BeginDecode().
  absl::Status Prepare(Clock::time_point deadline);

  // After Prepare(). `inference().done` belongs to the transport.
  Model& model() { return *model_; }
  InferenceRequest& inference() { return inference_; }

  // The client is gone: the request, if it waits, is completed in this call; if
  // it is handed over later, then. Any time, on the thread that prepares and
  // resets.
  void Cancel();

  // The answer is made from now on: in this call what checks of it have found,
  // the classes of outputs, if they are wanted, and what goes to shared memory.
  // Errors: those of ModelGuarantees::CheckOutputs and WriteSharedOutputs.
  absl::Status BeginEncode();

  // Counts the call: exactly once for each, before its answer can be seen.
  void Finish(const absl::Status& status);

  // After Finish(): whether the access log wants to know of the call, and its
  // line. LogAccess() takes a system call: best when the answer has gone out.
  bool logged() const { return logged_.has_value(); }
  void LogAccess(const RequestIds& ids) const;

  const inference::ModelInferResponse& response() const { return response_; }

  // Lets go of the model, and of memory that should not be kept for the next
  // call, which may come then.
  void Reset();

 private:
  // Counts bytes that the request holds from now on.
  absl::Status Hold(std::size_t bytes);
  absl::Status HoldSharedInputs();
  RejectReason ReasonOfFailure(const absl::Status& status) const;
  void NoteForLog(const absl::Status& status, Clock::time_point end);

  const InferEnvironment& environment_;
  inference::ModelInferRequest message_;
  inference::ModelInferResponse response_;
  ConvertedInputs converted_;
  std::vector<SharedOutput> shared_outputs_;
  InferenceRequest inference_;
  std::shared_ptr<Model> model_;
  GuaranteeFindings findings_;
  std::size_t message_bytes_ = 0;
  HeldBytes held_;
  // How the call ended, if the access log wants to know; without texts.
  std::optional<AccessEntry> logged_;
  Clock::time_point arrived_;
  Clock::time_point decode_start_;
  Clock::time_point decode_end_;
  Clock::time_point encode_start_;
  // Whether the messages hold little memory, which the next call can use.
  bool keeps_memory_ = false;
};

}  // namespace relu

#endif  // SERVER_INFER_EXCHANGE_H_
