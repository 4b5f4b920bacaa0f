#include "server/rest_inference.h"

#include <atomic>
#include <charconv>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "fmt/format.h"
#include "proto/inference.pb.h"
#include "server/arrived_calls.h"
#include "server/http/http_message.h"
#include "server/http_status.h"
#include "server/infer_exchange.h"
#include "server/rest_infer_request.h"
#include "server/rest_infer_response.h"
#include "server/rest_routes.h"
#include "server/text.h"

namespace relu {
namespace {

// How much of the body is JSON.
absl::StatusOr<std::size_t> JsonBytes(std::string_view field,
                                      std::size_t body_bytes) {
  if (field.empty()) {
    return body_bytes;
  }
  std::size_t bytes = 0;
  const auto end =
      std::from_chars(field.data(), field.data() + field.size(), bytes);
  if (end.ec != std::errc() || end.ptr != field.data() + field.size() ||
      bytes > body_bytes) {
    return absl::InvalidArgumentError(fmt::format(
        "Inference-Header-Content-Length is '{}', expected a number of bytes "
        "up to the {} of the body",
        Printable(field), body_bytes));
  }
  if (bytes == 0) {
    return absl::InvalidArgumentError(
        "Inference-Header-Content-Length is 0: requests without JSON are not "
        "supported, expected one with the names and shapes of the inputs");
  }
  return bytes;
}

}  // namespace

RestInference::RestInference(const InferEnvironment& environment,
                             RestInferReader& reader,
                             std::vector<RestInference*>& idle)
    : ArrivedCall(environment),
      environment_(environment),
      reader_(reader),
      idle_(idle) {
  inference().done = [this](const absl::Status& status) {
    status_ = status;
    ArrivedCalls::Answer(*this);
  };
}

void RestInference::Begin(const RestMatch& match,
                          std::shared_ptr<HttpCall> call) {
  arrived_at_ = InferExchange::Clock::now();
  call_ = std::move(call);
  answered_.store(false, std::memory_order_relaxed);
  inference::ModelInferRequest& message = exchange().message();
  for (const auto& [field, value] : match.fields) {
    if (field == "model_name") {
      message.set_model_name(value);
    } else {
      message.set_model_version(value);
    }
  }
}

bool RestInference::Prepare() {
  status_ = exchange().BeginDecode(arrived_at_, call_->body().size());
  if (status_.ok()) {
    status_ = Read();
  }
  if (status_.ok()) {
    status_ = exchange().Prepare(InferExchange::Clock::time_point::max());
  }
  return status_.ok();
}

absl::Status RestInference::Read() {
  std::string& body = call_->body();
  ASSIGN_OR_RETURN(
      const std::size_t json_bytes,
      JsonBytes(call_->header("Inference-Header-Content-Length"), body.size()));
  const absl::Status status =
      reader_.Read(body, json_bytes, environment_.max_message_bytes,
                   exchange().message(), forms_);
  // The message has its own copy, and may wait for long.
  std::string().swap(body);
  return status;
}

void RestInference::Send(const ArrivedCall* /*next*/) {
  if (status_.ok()) {
    status_ = exchange().BeginEncode();
  }
  if (status_.ok()) {
    absl::StatusOr<HttpResponse> response = RestInferResponse(
        exchange().response(), forms_, environment_.max_message_bytes);
    status_ = response.status();
    if (response.ok()) {
      answer_ = *std::move(response);
    }
  }
  exchange().Finish(status_);
  if (!status_.ok()) {
    answer_ = ErrorResponse(status_);
  }
  answered_.store(true, std::memory_order_relaxed);
  call_->Post([this] { Respond(); });
}

void RestInference::Respond() {
  const std::shared_ptr<HttpCall> call = std::exchange(call_, nullptr);
  EchoHeaders(*call, answer_);
  if (exchange().logged()) {
    exchange().LogAccess({.protocol = "http",
                          .request_id = call->header("X-Request-Id"),
                          .traceparent = call->header("traceparent")});
  }
  exchange().Reset();
  HttpResponse answer = std::exchange(answer_, {});
  idle_.push_back(this);
  call->Respond(std::move(answer));
}

void RestInference::WatchClient() {
  if (!answered_.load(std::memory_order_relaxed)) {
    call_->WatchClient([this] { exchange().Cancel(); });
  }
}

}  // namespace relu
