#include "server/infer_exchange.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/in_flight_bytes.h"
#include "core/base/status_macros.h"
#include "core/batching/rejection.h"
#include "core/batching/scheduler.h"
#include "core/metrics/compute_times.h"
#include "core/metrics/metrics.h"
#include "core/metrics/model_metrics.h"
#include "core/metrics/reject_reason.h"
#include "core/plan/compiled_model.h"
#include "core/repository/model.h"
#include "fmt/format.h"
#include "server/access_log.h"
#include "server/classification.h"
#include "server/guarantee_parameters.h"
#include "server/shared_memory_tensor.h"
#include "server/v2_codec.h"

namespace relu {
namespace {

// The messages of a call with more values than this are not kept for the next:
// thousands of calls, each with the memory of its largest request, would never
// give it back.
constexpr std::size_t kMaxKeptBytes = 64 << 10;

// The values of a request, and those of its answer; the rest is little.
std::size_t BytesOfInputs(const CompiledModel& model, std::int64_t rows) {
  std::size_t bytes = 0;
  for (const TensorSignature& input : model.inputs()) {
    bytes += input.Bytes(rows);
  }
  return bytes;
}

std::size_t BytesOfOutputs(const CompiledModel& model, std::int64_t rows) {
  std::size_t bytes = 0;
  for (const TensorSignature& output : model.outputs()) {
    bytes += output.Bytes(rows);
  }
  return bytes;
}

}  // namespace

InferExchange::InferExchange(const InferEnvironment& environment)
    : environment_(environment), held_(environment.in_flight_bytes) {}

absl::Status InferExchange::BeginDecode(Clock::time_point arrived,
                                        std::size_t message_bytes) {
  arrived_ = arrived;
  message_bytes_ = message_bytes;
  decode_start_ = Clock::now();
  return Hold(message_bytes);
}

absl::Status InferExchange::Hold(std::size_t bytes) {
  const absl::Status status = held_.Hold(bytes);
  if (!status.ok()) {
    inference_.retry_pushback = kBytesPushback;
  }
  return status;
}

absl::Status InferExchange::Prepare(Clock::time_point deadline) {
  inference_.deadline = deadline;
  ASSIGN_OR_RETURN(model_,
                   environment_.repository.Find(message_.model_name(),
                                                message_.model_version()));
  model_->metrics().CountArrival();
  RETURN_IF_ERROR(HoldSharedInputs());
  RETURN_IF_ERROR(DecodeRequest(message_, *model_, environment_.shared_memory,
                                converted_, inference_));
  RETURN_IF_ERROR(
      model_->guarantees().CheckInputs(inference_, converted_, findings_));
  inference_.scheduler = &model_->scheduler();
  const CompiledModel& compiled = model_->compiled();
  const std::size_t output_bytes = BytesOfOutputs(compiled, inference_.rows);
  inference_.bytes = BytesOfInputs(compiled, inference_.rows) + output_bytes;
  RETURN_IF_ERROR(Hold(output_bytes));
  RETURN_IF_ERROR(PrepareResponse(message_, *model_,
                                  environment_.max_message_bytes, inference_,
                                  response_));
  RETURN_IF_ERROR(FindSharedOutputs(
      message_, response_, environment_.shared_memory, shared_outputs_));
  decode_end_ = Clock::now();
  return absl::OkStatus();
}

// What the message names takes no less than what it brings.
absl::Status InferExchange::HoldSharedInputs() {
  if (environment_.shared_memory == nullptr) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const std::size_t bytes,
                   SharedInputBytes(message_, environment_.max_message_bytes));
  return bytes == 0 ? absl::OkStatus() : Hold(bytes);
}

void InferExchange::Cancel() {
  // Perhaps it has not been prepared.
  inference_.cancelled.store(true, std::memory_order_relaxed);
  if (inference_.scheduler != nullptr) {
    inference_.scheduler->Cancel(inference_);
  }
}

absl::Status InferExchange::BeginEncode() {
  encode_start_ = Clock::now();
  RETURN_IF_ERROR(model_->guarantees().CheckOutputs(inference_, findings_));
  if (findings_.any()) {
    AddGuaranteeParameters(findings_, response_);
  }
  if (!message_.outputs().empty()) {
    Classify(message_, *model_, response_);
  }
  return WriteSharedOutputs(shared_outputs_, response_);
}

RejectReason InferExchange::ReasonOfFailure(const absl::Status& status) const {
  if (held_.refused()) {
    return RejectReason::kInFlightBytes;
  }
  if (findings_.refused != RejectReason::kNone) {
    return findings_.refused;
  }
  return inference_.rejection != Rejection::kNone
             ? ReasonOf(inference_.rejection)
             : ReasonOf(status.code());
}

void InferExchange::NoteForLog(const absl::Status& status,
                               Clock::time_point end) {
  AccessEntry& entry = logged_.emplace();
  entry.code = status.code();
  entry.request_bytes = message_bytes_;
  entry.total = end - arrived_;
  if (!status.ok()) {
    entry.reason = ReasonOfFailure(status);
    return;
  }
  const ComputeTimes compute = inference_.compute.Get();
  entry.rows = inference_.rows;
  entry.batch_rows = inference_.largest_batch_rows;
  entry.queue = inference_.started_at - inference_.queued_at;
  entry.compute = compute.input + compute.infer + compute.output;
}

void InferExchange::LogAccess(const RequestIds& ids) const {
  AccessEntry entry = *logged_;
  entry.ids = ids;
  entry.model = message_.model_name();
  entry.version = model_ == nullptr
                      ? std::string_view()
                      : std::string_view(model_->metrics().version());
  entry.id = message_.id();
  AccessLog::Write(entry);
}

void InferExchange::Finish(const absl::Status& status) {
  const Clock::time_point end = Clock::now();
  if (environment_.access_log != nullptr &&
      environment_.access_log->Wants(status.code())) {
    NoteForLog(status, end);
  }
  if (model_ == nullptr) {
    environment_.metrics.CountRequestWithoutModel(status.code(),
                                                  ReasonOfFailure(status));
    return;
  }
  // Of a message that was refused nobody knows what it holds.
  keeps_memory_ = status.ok() && message_bytes_ <= kMaxKeptBytes &&
                  inference_.bytes <= kMaxKeptBytes;
  if (!status.ok()) {
    model_->metrics().CountFailure(status.code(), ReasonOfFailure(status),
                                   end - arrived_);
    return;
  }
  model_->metrics().CountAnswer(
      inference_.rows, {.decode = decode_end_ - decode_start_,
                        .queue = inference_.started_at - inference_.queued_at,
                        .compute = inference_.compute.Get(),
                        .encode = end - encode_start_,
                        .total = end - arrived_});
}

void InferExchange::Reset() {
  held_.LetGo();
  findings_ = {};
  logged_.reset();
  inference_.scheduler = nullptr;
  model_ = nullptr;
  shared_outputs_.clear();
  inference_.rejection = Rejection::kNone;
  inference_.retry_pushback = std::chrono::milliseconds(0);
  inference_.deadline = Clock::time_point::max();
  inference_.cancelled.store(false, std::memory_order_relaxed);
  if (keeps_memory_) {
    message_.Clear();
    response_.Clear();
  } else {
    message_ = inference::ModelInferRequest();
    response_ = inference::ModelInferResponse();
  }
  keeps_memory_ = false;
  for (auto& values : converted_) {
    if (values.capacity() > kMaxKeptBytes) {
      values = {};
    }
  }
}

}  // namespace relu
