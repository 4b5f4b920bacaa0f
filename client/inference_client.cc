#include "client/inference_client.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/support/byte_buffer.h"

#include "client/activity_message.h"
#include "client/client_transport.h"
#include "client/explain_message.h"
#include "client/health_call.h"
#include "client/infer_message.h"
#include "client/info_message.h"
#include "client/rank_message.h"
#include "client/row_batches.h"
#include "client/stream_connection.h"
#include "core/base/status_macros.h"
#include "fmt/format.h"
#include "proto/inference.pb.h"

namespace relu {
namespace {

using std::chrono::milliseconds;
using ResultFuture = std::future<absl::StatusOr<InferResult>>;

absl::StatusOr<InferResult> ResultOf(absl::StatusOr<grpc::ByteBuffer> answer) {
  if (!answer.ok()) {
    return answer.status();
  }
  auto message = std::make_unique<inference::ModelInferResponse>();
  RETURN_IF_ERROR(Parse(*std::move(answer), *message));
  return FromMessage(std::move(message));
}

// A sequence has a state at the server, which a second send would change again.
CallOptions OptionsFor(const InferRequest& request, CallOptions options) {
  options.repeatable =
      options.repeatable &&
      std::ranges::none_of(request.parameters(), [](const auto& parameter) {
        return parameter.first == "sequence_id";
      });
  return options;
}

template <typename Request>
Request ForModel(std::string_view model, std::string_view version) {
  Request request;
  request.set_name(std::string(model));
  request.set_version(std::string(version));
  return request;
}

// Calls for the parts of a request, a few at a time, in their order.
class RowCalls {
 public:
  RowCalls(InferenceClient& client, const std::vector<InferRequest>& parts,
           int in_flight, const CallOptions& options)
      : client_(client),
        parts_(parts),
        in_flight_(static_cast<std::size_t>(in_flight)),
        options_(options),
        end_(std::chrono::steady_clock::now() + options.timeout) {}

  absl::StatusOr<std::vector<InferResult>> Run() {
    std::vector<InferResult> results;
    while (results.size() < parts_.size()) {
      while (started_ < parts_.size() && futures_.size() < in_flight_) {
        StartNext();
      }
      auto result = futures_.front().get();
      futures_.pop_front();
      if (!result.ok()) {
        return Error(results.size(), result.status());
      }
      results.push_back(*std::move(result));
    }
    return results;
  }

 private:
  void StartNext() {
    CallOptions options = options_;
    options.timeout = std::chrono::duration_cast<milliseconds>(
        end_ - std::chrono::steady_clock::now());
    if (options.timeout == milliseconds(0)) {
      options.timeout = milliseconds(-1);  // Not the default: it is over.
    }
    futures_.push_back(client_.InferAsync(parts_[started_], options));
    ++started_;
  }

  // Says where among the rows it was.
  absl::Status Error(std::size_t part, const absl::Status& status) const {
    return {status.code(),
            fmt::format("call {} of {}: {}", part + 1, parts_.size(),
                        std::string(status.message()))};
  }

  InferenceClient& client_;
  const std::vector<InferRequest>& parts_;
  const std::size_t in_flight_;
  const CallOptions options_;
  const std::chrono::steady_clock::time_point end_;
  std::size_t started_ = 0;
  std::deque<ResultFuture> futures_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<InferenceClient>> InferenceClient::Create(
    std::string_view address, const ClientOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<ClientTransport> transport,
                   ClientTransport::Open(address, options));
  return std::make_unique<InferenceClient>(std::move(transport));
}

InferenceClient::InferenceClient(std::unique_ptr<ClientTransport> transport)
    : transport_(std::move(transport)) {}

InferenceClient::~InferenceClient() = default;

absl::StatusOr<InferResult> InferenceClient::Infer(const InferRequest& request,
                                                   const CallOptions& options) {
  ASSIGN_OR_RETURN(grpc::ByteBuffer message, ToByteBuffer(request));
  return ResultOf(
      transport_->Infer(std::move(message), OptionsFor(request, options)));
}

std::future<absl::StatusOr<InferResult>> InferenceClient::InferAsync(
    const InferRequest& request, const CallOptions& options) {
  std::promise<absl::StatusOr<InferResult>> promise;
  auto future = promise.get_future();
  InferAsync(
      request,
      [promise =
           std::move(promise)](absl::StatusOr<InferResult> result) mutable {
        promise.set_value(std::move(result));
      },
      options);
  return future;
}

void InferenceClient::InferAsync(const InferRequest& request,
                                 InferCallback callback,
                                 const CallOptions& options) {
  auto message = ToByteBuffer(request);
  if (!message.ok()) {
    callback(message.status());
    return;
  }
  transport_->InferAsync(*std::move(message), OptionsFor(request, options),
                         [callback = std::move(callback)](
                             absl::StatusOr<grpc::ByteBuffer> answer) mutable {
                           callback(ResultOf(std::move(answer)));
                         });
}

absl::StatusOr<InferResult> InferenceClient::InferRows(
    const InferRequest& request, const RowsOptions& rows,
    const CallOptions& options) {
  if (rows.calls_in_flight < 1) {
    return absl::InvalidArgumentError(fmt::format(
        "calls_in_flight: {}, at least 1 is wanted", rows.calls_in_flight));
  }
  ASSIGN_OR_RETURN(const std::vector<InferRequest> parts,
                   SplitRows(request, rows.rows_per_call));
  if (parts.empty()) {
    return Infer(request, options);  // No inputs, no rows.
  }
  CallOptions call = options;
  call.timeout = transport_->TimeoutOf(options);
  ASSIGN_OR_RETURN(const std::vector<InferResult> results,
                   RowCalls(*this, parts, rows.calls_in_flight, call).Run());
  std::vector<std::int64_t> counts;
  for (const InferRequest& part : parts) {
    counts.push_back(part.inputs()[0].shape[0]);
  }
  return JoinRows(results, counts);
}

std::unique_ptr<InferStream> InferenceClient::Stream(
    const CallOptions& options) {
  return std::make_unique<InferStream>(
      transport_->OpenStream(kStreamMethod, options));
}

absl::StatusOr<ActivityResult> InferenceClient::GetActivity(
    const ActivityRequest& request, const CallOptions& options) {
  ASSIGN_OR_RETURN(
      const grpc::ByteBuffer response,
      transport_->CallBytes(kActivityMethod,
                            ToBuffer(EncodeActivityRequest(request)), options));
  return DecodeActivityResponse(BytesOf(response));
}

absl::StatusOr<ExplainResult> InferenceClient::Explain(
    const ExplainRequest& request, const CallOptions& options) {
  ASSIGN_OR_RETURN(
      const grpc::ByteBuffer response,
      transport_->CallBytes(kExplainMethod,
                            ToBuffer(EncodeExplainRequest(request)), options));
  return DecodeExplainResponse(BytesOf(response));
}

absl::StatusOr<RankResult> InferenceClient::Rank(const RankRequest& request,
                                                 const CallOptions& options) {
  ASSIGN_OR_RETURN(
      const grpc::ByteBuffer response,
      transport_->CallBytes(kRankMethod, ToBuffer(EncodeRankRequest(request)),
                            options));
  return DecodeRankResponse(BytesOf(response));
}

absl::StatusOr<bool> InferenceClient::ServerLive(const CallOptions& options) {
  inference::ServerLiveResponse response;
  RETURN_IF_ERROR(transport_->Call("ServerLive", inference::ServerLiveRequest(),
                                   options, response));
  return response.live();
}

absl::StatusOr<bool> InferenceClient::ServerReady(const CallOptions& options) {
  inference::ServerReadyResponse response;
  RETURN_IF_ERROR(transport_->Call(
      "ServerReady", inference::ServerReadyRequest(), options, response));
  return response.ready();
}

absl::StatusOr<bool> InferenceClient::ModelReady(std::string_view model,
                                                 std::string_view version,
                                                 const CallOptions& options) {
  inference::ModelReadyResponse response;
  RETURN_IF_ERROR(transport_->Call(
      "ModelReady", ForModel<inference::ModelReadyRequest>(model, version),
      options, response));
  return response.ready();
}

absl::StatusOr<bool> InferenceClient::Health(std::string_view service,
                                             const CallOptions& options) {
  ASSIGN_OR_RETURN(
      const grpc::ByteBuffer response,
      transport_->CallBytes(kHealthCheckMethod,
                            ToBuffer(EncodeHealthRequest(service)), options));
  return DecodeHealthResponse(BytesOf(response));
}

absl::StatusOr<ServerMetadata> InferenceClient::ServerMetadata(
    const CallOptions& options) {
  inference::ServerMetadataResponse response;
  RETURN_IF_ERROR(transport_->Call(
      "ServerMetadata", inference::ServerMetadataRequest(), options, response));
  return FromMessage(response);
}

absl::StatusOr<ModelMetadata> InferenceClient::ModelMetadata(
    std::string_view model, std::string_view version,
    const CallOptions& options) {
  inference::ModelMetadataResponse response;
  RETURN_IF_ERROR(transport_->Call(
      "ModelMetadata",
      ForModel<inference::ModelMetadataRequest>(model, version), options,
      response));
  return FromMessage(response);
}

absl::StatusOr<ModelConfiguration> InferenceClient::ModelConfig(
    std::string_view model, std::string_view version,
    const CallOptions& options) {
  inference::ModelConfigResponse response;
  RETURN_IF_ERROR(transport_->Call(
      "ModelConfig", ForModel<inference::ModelConfigRequest>(model, version),
      options, response));
  return FromMessage(response);
}

absl::StatusOr<std::vector<ModelStatistics>> InferenceClient::ModelStatistics(
    std::string_view model, std::string_view version,
    const CallOptions& options) {
  inference::ModelStatisticsResponse response;
  RETURN_IF_ERROR(transport_->Call(
      "ModelStatistics",
      ForModel<inference::ModelStatisticsRequest>(model, version), options,
      response));
  return FromMessage(response);
}

absl::StatusOr<std::vector<ModelIndexEntry>> InferenceClient::RepositoryIndex(
    const CallOptions& options) {
  inference::RepositoryIndexResponse response;
  RETURN_IF_ERROR(transport_->Call("RepositoryIndex",
                                   inference::RepositoryIndexRequest(), options,
                                   response));
  return FromMessage(response);
}

absl::Status InferenceClient::LoadModel(std::string_view model,
                                        const LoadModelOptions& load,
                                        const CallOptions& options) {
  CallOptions once = options;
  once.repeatable = false;
  inference::RepositoryModelLoadResponse response;
  return transport_->Call("RepositoryModelLoad", ToMessage(model, load), once,
                          response);
}

absl::Status InferenceClient::UnloadModel(std::string_view model,
                                          const CallOptions& options) {
  CallOptions once = options;
  once.repeatable = false;
  inference::RepositoryModelUnloadRequest request;
  request.set_model_name(std::string(model));
  inference::RepositoryModelUnloadResponse response;
  return transport_->Call("RepositoryModelUnload", request, once, response);
}

}  // namespace relu
