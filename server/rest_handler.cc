#include "server/rest_handler.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/check.h"
#include "core/batching/dispatcher.h"
#include "core/metrics/reject_reason.h"
#include "core/repository/model_repository.h"
#include "fmt/format.h"
#include "server/access.h"
#include "server/http/http_message.h"
#include "server/http_status.h"
#include "server/rest_inference.h"
#include "server/rest_routes.h"
#include "server/rest_rpc.h"
#include "server/text.h"

namespace relu {
namespace {

constexpr int kNotFound = 404;
constexpr int kMethodNotAllowed = 405;
constexpr int kPayloadTooLarge = 413;

// Bodies of all RPCs but those that carry tensors or a model.
constexpr std::size_t kMaxRpcBodyBytes = 1 << 20;

constexpr std::string_view kMetricsPath = "/metrics";

RestRole Role(const HttpCall& call) {
  return static_cast<RestRole>(call.role());
}

bool IsMetrics(const HttpCall& call) {
  return Role(call) == RestRole::kMetrics &&
         call.target().substr(0, call.target().find('?')) == kMetricsPath;
}

bool IsInference(const RestMatch& match) {
  return match.route->rpc == "ModelInfer";
}

// Whether its body carries tensors or a model.
bool IsLarge(const RestMatch& match) {
  return match.route->rpc == "RepositoryModelLoad" ||
         match.route->rpc == "Rank";
}

// What a listener serves of the routes.
bool Serves(RestRole role, const RestRoute& route) {
  return role != RestRole::kMetrics ||
         GroupOf(RpcPath(route)) == AccessGroup::kHealth;
}

HttpResponse NoRoute(const HttpCall& call, const RestMatch& match) {
  if (match.allowed.empty()) {
    return ErrorResponse(
        kNotFound, fmt::format("no such path: '{}'", Printable(call.target())));
  }
  HttpResponse response = ErrorResponse(
      kMethodNotAllowed, fmt::format("expected one of {}", match.allowed));
  response.headers.emplace_back("Allow", match.allowed);
  return response;
}

}  // namespace

RestHandler::RestHandler(const RestEnvironment& environment)
    : environment_(environment),
      arrived_(environment.inference.repository.dispatcher()) {}

RestHandler::~RestHandler() {
  CHECK(idle_.size() == inferences_.size());
  CHECK(waiting_.empty());
}

void RestHandler::Start(std::function<void()> wake) {
  wake_ = std::move(wake);
  environment_.inference.repository.dispatcher().AddWorker(*this);
}

void RestHandler::Stop() {
  environment_.inference.repository.dispatcher().RemoveWorker(*this);
}

std::optional<HttpResponse> RestHandler::Refuse(const HttpCall& call) {
  AccessGroup group = AccessGroup::kMetrics;
  bool inference = false;
  if (!IsMetrics(call)) {
    const RestMatch match = MatchRestRoute(call.method(), call.target());
    if (match.route == nullptr || !Serves(Role(call), *match.route)) {
      return NoRoute(call, match);
    }
    group = GroupOf(RpcPath(*match.route));
    inference = IsInference(match);
  } else if (call.method() != "GET" && call.method() != "HEAD") {
    return NoRoute(call, {.allowed = "GET, HEAD"});
  }
  const Access& access = Role(call) == RestRole::kControl
                             ? environment_.control_access
                             : environment_.access;
  if (access.open(group)) {
    return std::nullopt;
  }
  const absl::Status status = access.Check(group, call.header("Authorization"));
  if (status.ok()) {
    return std::nullopt;
  }
  if (inference) {
    environment_.inference.metrics.CountRequestWithoutModel(
        status.code(), ReasonOf(status.code()));
  }
  return relu::ErrorResponse(status);
}

void RestHandler::Handle(std::shared_ptr<HttpCall> call) {
  if (IsMetrics(*call)) {
    HttpResponse response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = environment_.inference.metrics.Text();
    call->Respond(std::move(response));
    return;
  }
  // Refuse() has found that there is one.
  const RestMatch match = MatchRestRoute(call->method(), call->target());
  if (IsInference(match)) {
    Infer(match, std::move(call));
    return;
  }
  CallAndAnswer(match, std::move(call));
}

HttpResponse RestHandler::ErrorResponse(int status, std::string_view message) {
  return relu::ErrorResponse(status, message);
}

void RestHandler::CallAndAnswer(const RestMatch& match,
                                std::shared_ptr<HttpCall> owned) {
  HttpCall& call = *owned;
  if (call.body().size() > kMaxRpcBodyBytes && !IsLarge(match)) {
    call.Respond(relu::ErrorResponse(
        kPayloadTooLarge, fmt::format("the body has {} bytes, the most is {}",
                                      call.body().size(), kMaxRpcBodyBytes)));
    return;
  }
  waiting_.emplace(&call, std::move(owned));
  const Rpc::Caller caller{.ids = {.protocol = "http",
                                   .request_id = call.header("X-Request-Id"),
                                   .traceparent = call.header("traceparent")},
                           .arrived = &arrived_};
  Rpc::Cancel cancel = CallRpc(
      environment_.rpcs, match, call.body(), caller,
      [this, &call](absl::StatusOr<HttpResponse> response) {
        call.Post([this, &call,
                   answer = response.ok() ? *std::move(response)
                                          : relu::ErrorResponse(
                                                response.status())]() mutable {
          Answer(call, std::move(answer));
        });
      });
  // The call is here still: what answers it runs on this thread, later.
  if (cancel != nullptr) {
    call.WatchClient(std::move(cancel));
  }
}

void RestHandler::Answer(HttpCall& call, HttpResponse response) {
  const auto owned = waiting_.extract(&call);
  EchoHeaders(call, response);
  call.Respond(std::move(response));
}

void RestHandler::Infer(const RestMatch& match,
                        std::shared_ptr<HttpCall> call) {
  if (idle_.empty()) {
    inferences_.push_back(std::make_unique<RestInference>(
        environment_.inference, reader_, idle_));
    idle_.push_back(inferences_.back().get());
  }
  RestInference& inference = *idle_.back();
  idle_.pop_back();
  inference.Begin(match, std::move(call));
  arrived_.Add(inference);
  begun_.push_back(&inference);
}

bool RestHandler::RunArrived() {
  const bool more = arrived_.Run(*this);
  // What was not answered waits for other threads, perhaps for long.
  for (RestInference* inference : begun_) {
    inference->WatchClient();
  }
  begun_.clear();
  return more;
}

}  // namespace relu
