#include "server/rpc_table.h"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "google/protobuf/arena.h"

#include "core/base/status_macros.h"
#include "core/metrics/metrics.h"
#include "fmt/format.h"
#include "proto/inference.pb.h"
#include "proto/relu.pb.h"
#include "server/activity_handler.h"
#include "server/background_calls.h"
#include "server/health.h"
#include "server/infer_exchange.h"
#include "server/inference_handlers.h"
#include "server/log_handler.h"
#include "server/rank_call.h"
#include "server/reflection.h"
#include "server/relu_handlers.h"
#include "server/shared_memory_handlers.h"
#include "server/text.h"
#include "server/trace_handler.h"

namespace relu {
namespace {

constexpr char kExplain[] = "/relu.v1.ReluService/Explain";

template <typename Request>
absl::StatusOr<Request> Parse(std::string_view bytes) {
  Request request;
  if (!request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::InvalidArgumentError(
        fmt::format("the request of {} bytes is no {}", bytes.size(),
                    Request::descriptor()->full_name()));
  }
  return request;
}

// A handler of messages as a handler of bytes.
template <typename Request, typename Response, typename Handler>
Rpc OfMessages(const Handler& handler) {
  const auto of_bytes =
      [handler](std::string_view bytes) -> absl::StatusOr<std::string> {
    ASSIGN_OR_RETURN(const Request request, Parse<Request>(bytes));
    // Which all parts of the answer come from: there may be thousands.
    google::protobuf::Arena arena;
    Response& response =
        *google::protobuf::Arena::CreateMessage<Response>(&arena);
    RETURN_IF_ERROR(handler(request, response));
    return response.SerializeAsString();
  };
  return {.kind = Rpc::Kind::kUnary, .handler = of_bytes};
}

template <typename Handlers, typename Request, typename Response>
Rpc Unary(const Handlers& handlers,
          absl::Status (Handlers::*method)(const Request&, Response&) const) {
  return OfMessages<Request, Response>(
      [&handlers, method](const Request& request, Response& response) {
        return (handlers.*method)(request, response);
      });
}

template <typename Request, typename Response>
Rpc Unary(absl::Status (*function)(const Request&, Response&)) {
  return OfMessages<Request, Response>(function);
}

template <typename Request, typename Response>
Rpc Deferred(InferenceHandlers& handlers,
             void (InferenceHandlers::*method)(
                 const Request&,
                 std::function<void(absl::StatusOr<Response>)>)) {
  const auto deferred =
      [&handlers, method](std::string_view bytes, const Rpc::Caller& /*caller*/,
                          const Rpc::Answer& answer) -> Rpc::Cancel {
    const absl::StatusOr<Request> request = Parse<Request>(bytes);
    if (!request.ok()) {
      answer(request.status());
      return {};
    }
    (handlers.*method)(*request, [answer](absl::StatusOr<Response> response) {
      if (response.ok()) {
        answer(response->SerializeAsString());
      } else {
        answer(response.status());
      }
    });
    return {};
  };
  return {.kind = Rpc::Kind::kDeferred, .handler = {}, .deferred = deferred};
}

Rpc Unimplemented(std::string_view reason) {
  const auto refuse =
      [reason](std::string_view) -> absl::StatusOr<std::string> {
    return absl::UnimplementedError(std::string(reason));
  };
  return {.kind = Rpc::Kind::kUnary, .handler = refuse};
}

absl::StatusOr<std::string> CheckHealth(const Health& health,
                                        std::string_view request) {
  ASSIGN_OR_RETURN(const std::string name, ParseHealthRequest(request));
  const ServingStatus status = health.Get(name);
  if (status == ServingStatus::kServiceUnknown) {
    return absl::NotFoundError(
        fmt::format("no service or model '{}'", Printable(name)));
  }
  return HealthResponse(status);
}

}  // namespace

absl::Status WithPushback(absl::Status status,
                          std::chrono::milliseconds pushback) {
  if (pushback.count() > 0) {
    status.SetPayload(kRetryPushback,
                      absl::Cord(fmt::format("{}", pushback.count())));
  }
  return status;
}

RpcTable::RpcTable(InferenceHandlers& handlers, const Health& health)
    : relu_(handlers.repository()) {
  using Handlers = InferenceHandlers;
  const std::string v2 = "/inference.GRPCInferenceService/";
  rpcs_[v2 + "ServerLive"] = Unary(handlers, &Handlers::ServerLive);
  rpcs_[v2 + "ServerReady"] = Unary(handlers, &Handlers::ServerReady);
  rpcs_[v2 + "ModelReady"] = Unary(handlers, &Handlers::ModelReady);
  rpcs_[v2 + "ServerMetadata"] = Unary(handlers, &Handlers::ServerMetadata);
  rpcs_[v2 + "ModelMetadata"] = Unary(handlers, &Handlers::ModelMetadata);
  rpcs_[v2 + "ModelStatistics"] = Unary(handlers, &Handlers::ModelStatistics);
  rpcs_[v2 + "ModelConfig"] = Unary(handlers, &Handlers::ModelConfig);
  rpcs_[v2 + "RepositoryIndex"] = Unary(handlers, &Handlers::RepositoryIndex);
  rpcs_[v2 + "RepositoryModelLoad"] =
      Deferred(handlers, &Handlers::RepositoryModelLoad);
  rpcs_[v2 + "RepositoryModelUnload"] =
      Deferred(handlers, &Handlers::RepositoryModelUnload);
  rpcs_[v2 + "LogSettings"] = Unary(&UpdateLogSettings);
  rpcs_[kExplain] = Unary(relu_, &ReluHandlers::Explain);
  for (const char* call : {"Status", "Register", "Unregister"}) {
    rpcs_[v2 + "SystemSharedMemory" + call] = Unimplemented(
        "system shared memory is off here: relud takes it with "
        "--allow-shared-memory");
    rpcs_[v2 + "CudaSharedMemory" + call] = Unimplemented(
        "there is no CUDA shared memory: relud computes on CPUs, expected "
        "system shared memory or values in the request");
  }
  rpcs_["/relu.v1.ReluService/GetActivity"] =
      OfMessages<v1::GetActivityRequest, v1::GetActivityResponse>(
          [&repository = handlers.repository()](const auto& request,
                                                auto& response) {
            return GetActivity(repository, request, response);
          });
  const auto check = [&health](std::string_view request) {
    return CheckHealth(health, request);
  };
  rpcs_["/grpc.health.v1.Health/Check"] = {.kind = Rpc::Kind::kUnary,
                                           .handler = check};
  rpcs_["/grpc.health.v1.Health/Watch"] = {.kind = Rpc::Kind::kHealthWatch,
                                           .handler = {}};
  for (const char* version : {"v1", "v1alpha"}) {
    const std::string path = fmt::format(
        "/grpc.reflection.{}.ServerReflection/ServerReflectionInfo", version);
    rpcs_[path] = {.kind = Rpc::Kind::kStream, .handler = Reflect};
  }
}

void RpcTable::AddTraceSetting(AccessLog& access_log) {
  rpcs_["/inference.GRPCInferenceService/TraceSetting"] =
      OfMessages<inference::TraceSettingRequest,
                 inference::TraceSettingResponse>(
          [&access_log](const auto& request, auto& response) {
            return UpdateTraceSettings(request, access_log, response);
          });
}

void RpcTable::AddRank(const InferEnvironment& environment) {
  rpcs_["/relu.v1.ReluService/Rank"] = {
      .kind = Rpc::Kind::kDeferred,
      .handler = {},
      .deferred = [&environment](std::string_view request,
                                 const Rpc::Caller& caller,
                                 const Rpc::Answer& answer) {
        return RankCall::Begin(environment, request, caller, answer);
      }};
}

void RpcTable::ExplainInBackground(BackgroundCalls& calls, Metrics& metrics) {
  Rpc& rpc = rpcs_[kExplain];
  rpc = {.kind = Rpc::Kind::kDeferred,
         .handler = {},
         .deferred = [&calls, &metrics, handler = rpc.handler](
                         std::string_view request, const Rpc::Caller& caller,
                         const Rpc::Answer& answer) {
           const auto counted = [&metrics,
                                 answer](absl::StatusOr<std::string> bytes) {
             if (!bytes.ok()) {
               metrics.CountExplainFailure(bytes.status().code());
             }
             answer(std::move(bytes));
           };
           return calls.Run(handler, request, caller, counted);
         }};
}

void RpcTable::AddSharedMemory(SharedMemoryRegions& regions) {
  const std::string v2 = "/inference.GRPCInferenceService/";
  rpcs_[v2 + "SystemSharedMemoryStatus"] =
      OfMessages<inference::SystemSharedMemoryStatusRequest,
                 inference::SystemSharedMemoryStatusResponse>(
          [&regions](const auto& request, auto& response) {
            return SharedMemoryStatus(request, regions, response);
          });
  rpcs_[v2 + "SystemSharedMemoryRegister"] =
      OfMessages<inference::SystemSharedMemoryRegisterRequest,
                 inference::SystemSharedMemoryRegisterResponse>(
          [&regions](const auto& request, auto& /*response*/) {
            return RegisterSharedMemory(request, regions);
          });
  rpcs_[v2 + "SystemSharedMemoryUnregister"] =
      OfMessages<inference::SystemSharedMemoryUnregisterRequest,
                 inference::SystemSharedMemoryUnregisterResponse>(
          [&regions](const auto& request, auto& /*response*/) {
            return UnregisterSharedMemory(request, regions);
          });
  // As Triton without GPUs: nothing is registered there, so nothing is left to
  // unregister. perf_analyzer unregisters both kinds before it uses one.
  rpcs_[v2 + "CudaSharedMemoryUnregister"] =
      OfMessages<inference::CudaSharedMemoryUnregisterRequest,
                 inference::CudaSharedMemoryUnregisterResponse>(
          [](const auto& /*request*/, auto& /*response*/) {
            return absl::OkStatus();
          });
}

absl::StatusOr<const Rpc*> RpcTable::Find(std::string_view path) const {
  const auto rpc = rpcs_.find(path);
  if (rpc == rpcs_.end()) {
    return absl::UnimplementedError(
        fmt::format("relud does not implement '{}'", Printable(path)));
  }
  return &rpc->second;
}

}  // namespace relu
