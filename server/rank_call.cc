#include "server/rank_call.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/in_flight_bytes.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "core/base/status_prefix.h"
#include "core/batching/inference_request.h"
#include "core/batching/rejection.h"
#include "core/batching/scheduler.h"
#include "core/batching/shared_values.h"
#include "core/metrics/compute_times.h"
#include "core/metrics/metrics.h"
#include "core/metrics/model_metrics.h"
#include "core/metrics/reject_reason.h"
#include "core/plan/compiled_model.h"
#include "core/repository/model.h"
#include "core/repository/model_guarantees.h"
#include "fmt/format.h"
#include "server/access_log.h"
#include "server/arrived_calls.h"
#include "server/guarantee_parameters.h"
#include "server/infer_exchange.h"
#include "server/rank_codec.h"
#include "server/rank_scores.h"
#include "server/rpc_table.h"
#include "server/text.h"

namespace relu {

Rpc::Cancel RankCall::Begin(const InferEnvironment& environment,
                            std::string_view bytes, const Rpc::Caller& caller,
                            const Rpc::Answer& answer) {
  auto call =
      std::make_shared<RankCall>(ForBegin(), environment, caller, answer);
  const absl::Status status = call->Prepare(bytes);
  if (!status.ok()) {
    call->Finish(status);
    return {};
  }
  call->Submit(call, caller.arrived);
  return [call] { call->Cancel(); };
}

RankCall::RankCall(ForBegin, const InferEnvironment& environment,
                   const Rpc::Caller& caller, Rpc::Answer answer)
    : environment_(environment),
      answer_(std::move(answer)),
      protocol_(caller.ids.protocol),
      request_id_(caller.ids.request_id),
      traceparent_(caller.ids.traceparent),
      arrived_(Clock::now()),
      held_(environment.in_flight_bytes) {
  request_.deadline = caller.deadline;
  request_.done = [this](const absl::Status& status) { Finish(status); };
}

absl::Status RankCall::Prepare(std::string_view bytes) {
  message_bytes_ = bytes.size();
  RETURN_IF_ERROR(Hold(message_bytes_));
  if (!message_.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::InvalidArgumentError(fmt::format(
        "the request of {} bytes is no relu.v1.RankRequest", bytes.size()));
  }
  ASSIGN_OR_RETURN(model_,
                   environment_.repository.Find(message_.model_name(),
                                                message_.model_version()));
  model_->metrics().CountArrival();
  if (const absl::Status status = PrepareItems(); !status.ok()) {
    return WithPrefix(fmt::format("model \"{}\": ", model_->name()), status);
  }
  decoded_ = Clock::now();
  return absl::OkStatus();
}

absl::Status RankCall::PrepareItems() {
  RETURN_IF_ERROR(DecodeRankRequest(message_, *model_, converted_, request_));
  RETURN_IF_ERROR(CheckItems());
  const CompiledModel& compiled = model_->compiled();
  ASSIGN_OR_RETURN(score_, FindScoreColumn(message_, compiled));
  const std::size_t bytes =
      compiled.outputs()[score_.output].Bytes(request_.rows);
  if (bytes > environment_.max_message_bytes) {
    return absl::ResourceExhaustedError(
        fmt::format("the outputs of {} items take {} bytes, the limit of an "
                    "answer is {}: send fewer",
                    request_.rows, bytes, environment_.max_message_bytes));
  }
  RETURN_IF_ERROR(Hold(bytes));
  output_.resize(bytes);
  request_.outputs[score_.output] = output_.data();
  request_.bytes = message_bytes_ + bytes;
  return absl::OkStatus();
}

absl::Status RankCall::CheckItems() {
  const ModelGuarantees& guarantees = model_->guarantees();
  RETURN_IF_ERROR(guarantees.CheckFinite(request_, findings_));
  if (!guarantees.HasDomain()) {
    return absl::OkStatus();
  }
  const auto rows = static_cast<std::size_t>(request_.rows);
  InferenceRequest whole;
  whole.rows = request_.rows;
  const SharedValues nothing;
  for (std::size_t i = 0; i < request_.inputs.size(); ++i) {
    const TensorSignature& input = model_->compiled().inputs()[i];
    const SharedValues& shared =
        request_.shared.empty() ? nothing : request_.shared[i];
    const std::size_t own_bytes = shared.OwnBytes(input.row_bytes);
    RETURN_IF_ERROR(Hold(rows * input.row_bytes));
    std::vector<std::byte>& all = whole_rows_.emplace_back();
    all.resize(rows * input.row_bytes);
    for (std::size_t row = 0; row < rows; ++row) {
      CopyWholeRow(
          shared,
          own_bytes == 0 ? nullptr : request_.inputs[i] + row * own_bytes,
          input.row_bytes, all.data() + row * input.row_bytes);
    }
    whole.inputs.push_back(all.data());
  }
  RETURN_IF_ERROR(guarantees.CheckDomain(whole, whole_rows_, findings_));
  if (findings_.clamped) {
    request_.inputs = whole.inputs;
    request_.shared.clear();
  } else {
    whole_rows_.clear();
  }
  return absl::OkStatus();
}

absl::Status RankCall::Hold(std::size_t bytes) {
  const absl::Status status = held_.Hold(bytes);
  if (!status.ok()) {
    request_.retry_pushback = kBytesPushback;
  }
  return status;
}

void RankCall::Submit(std::shared_ptr<RankCall> self, ArrivedCalls* arrived) {
  {
    const MutexLock lock(mu_);
    running_ = model_;
  }
  self_ = std::move(self);
  if (arrived != nullptr) {
    request_.scheduler = &model_->scheduler();
    arrived->Add(request_);
    return;
  }
  // Until Submit() returns: the call may be over before, on another thread.
  const std::shared_ptr<Model> model = model_;
  const std::array<InferenceRequest*, 1> requests = {&request_};
  model->scheduler().Submit(requests);
}

void RankCall::Cancel() {
  // Perhaps the scheduler does not have it yet.
  request_.cancelled.store(true, std::memory_order_relaxed);
  std::shared_ptr<Model> model;
  {
    const MutexLock lock(mu_);
    model = running_;
  }
  if (model != nullptr) {
    model->scheduler().Cancel(request_);
  }
}

void RankCall::Finish(const absl::Status& found) {
  // To the end of this function: the scheduler has let go of it.
  const std::shared_ptr<RankCall> self = std::move(self_);
  const absl::Status status =
      found.ok() ? model_->guarantees().CheckOutputs(request_, findings_)
                 : found;
  {
    const MutexLock lock(mu_);
    running_ = nullptr;
  }
  const Clock::time_point encode_start = Clock::now();
  std::string answer;
  if (status.ok()) {
    answer = Answer();
  }
  const Clock::time_point end = Clock::now();
  Count(status, encode_start, end);
  if (environment_.access_log != nullptr &&
      environment_.access_log->Wants(status.code())) {
    LogAccess(status, end);
  }
  held_.LetGo();
  model_ = nullptr;
  // The last: the server may end once its calls are answered.
  if (status.ok()) {
    answer_(std::move(answer));
  } else {
    answer_(WithPushback(status, request_.retry_pushback));
  }
}

std::string RankCall::Answer() {
  const TensorSignature& output = model_->compiled().outputs()[score_.output];
  const std::vector<float> scores =
      ReadScores(output, score_.element, request_.rows, output_.data());
  v1::RankResponse response;
  response.set_model_name(model_->name());
  response.set_model_version(std::to_string(model_->version()));
  response.set_output(output.name);
  if (message_.top_k() == 0) {
    response.mutable_scores()->Add(scores.begin(), scores.end());
  } else {
    for (const std::uint32_t item : BestItems(scores, message_.top_k())) {
      response.add_items(item);
      response.add_scores(scores[item]);
    }
  }
  if (findings_.any()) {
    SetGuaranteeFields(findings_, *response.mutable_findings());
  }
  return response.SerializeAsString();
}

RejectReason RankCall::ReasonOfFailure(const absl::Status& status) const {
  if (held_.refused()) {
    return RejectReason::kInFlightBytes;
  }
  if (findings_.refused != RejectReason::kNone) {
    return findings_.refused;
  }
  return request_.rejection != Rejection::kNone ? ReasonOf(request_.rejection)
                                                : ReasonOf(status.code());
}

void RankCall::Count(const absl::Status& status, Clock::time_point encode_start,
                     Clock::time_point end) {
  if (model_ == nullptr) {
    environment_.metrics.CountRequestWithoutModel(status.code(),
                                                  ReasonOfFailure(status));
    return;
  }
  ModelMetrics& metrics = model_->metrics();
  if (!status.ok()) {
    metrics.CountFailure(status.code(), ReasonOfFailure(status),
                         end - arrived_);
    return;
  }
  metrics.CountRank(request_.rows, end - arrived_);
  metrics.CountAnswer(request_.rows,
                      {.decode = decoded_ - arrived_,
                       .queue = request_.started_at - request_.queued_at,
                       .compute = request_.compute.Get(),
                       .encode = end - encode_start,
                       .total = end - arrived_});
}

void RankCall::LogAccess(const absl::Status& status,
                         Clock::time_point end) const {
  AccessEntry entry;
  entry.ids = {.protocol = protocol_,
               .request_id = request_id_,
               .traceparent = traceparent_};
  entry.model = message_.model_name();
  entry.version = model_ == nullptr
                      ? std::string_view()
                      : std::string_view(model_->metrics().version());
  entry.id = message_.id();
  entry.code = status.code();
  entry.request_bytes = message_bytes_;
  entry.total = end - arrived_;
  if (status.ok()) {
    const ComputeTimes compute = request_.compute.Get();
    entry.rows = request_.rows;
    entry.batch_rows = request_.largest_batch_rows;
    entry.queue = request_.started_at - request_.queued_at;
    entry.compute = compute.input + compute.infer + compute.output;
  } else {
    entry.reason = ReasonOfFailure(status);
  }
  AccessLog::Write(entry);
}

}  // namespace relu
