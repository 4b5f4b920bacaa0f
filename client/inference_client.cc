#include "client/inference_client.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/async_unary_call.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"
#include "grpcpp/support/status.h"

#include "client/call_status.h"
#include "client/channels.h"
#include "client/health_call.h"
#include "client/infer_message.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "fmt/format.h"
#include "proto/inference.grpc.pb.h"
#include "proto/inference.pb.h"

namespace relu {
namespace {

using Stub = inference::GRPCInferenceService::Stub;

constexpr int kMaxChannels = 1024;
// Longer timeouts are cut, so that the sum with the clock cannot overflow.
constexpr std::chrono::milliseconds kMaxTimeout = std::chrono::hours(24 * 365);

// Counts the calls in flight, so that the client can wait for them.
// Thread-safe.
class InFlight {
 public:
  void Add() ABSL_LOCKS_EXCLUDED(mu_) {
    const MutexLock lock(mu_);
    ++count_;
  }

  void Remove() ABSL_LOCKS_EXCLUDED(mu_) {
    const MutexLock lock(mu_);
    --count_;
    none_.NotifyAll();
  }

  void WaitForNone() ABSL_LOCKS_EXCLUDED(mu_) {
    const MutexLock lock(mu_);
    while (count_ > 0) {
      none_.Wait(mu_);
    }
  }

 private:
  Mutex mu_;
  CondVar none_;
  int count_ ABSL_GUARDED_BY(mu_) = 0;
};

// What one asynchronous call needs until it is answered.
struct AsyncCall {
  grpc::ClientContext context;
  inference::ModelInferRequest request;
  std::unique_ptr<
      grpc::ClientAsyncResponseReader<inference::ModelInferResponse>>
      reader;
  grpc::Status status;
  std::unique_ptr<inference::ModelInferResponse> response =
      std::make_unique<inference::ModelInferResponse>();
  InferenceClient::InferCallback callback;
  std::string address;
};

void Finish(AsyncCall& call, const grpc::Status& status) {
  if (status.ok()) {
    call.callback(FromMessage(std::move(call.response)));
  } else {
    call.callback(FromGrpcStatus(status, call.address));
  }
  // What the callback holds goes away before the client may.
  call.callback = nullptr;
}

TensorMetadata FromMessage(
    const inference::ModelMetadataResponse::TensorMetadata& tensor) {
  return {.name = tensor.name(),
          .datatype = tensor.datatype(),
          .shape = {tensor.shape().begin(), tensor.shape().end()}};
}

std::string BytesOf(const grpc::ByteBuffer& buffer) {
  std::string bytes;
  std::vector<grpc::Slice> slices;
  if (buffer.Dump(&slices).ok()) {
    for (const grpc::Slice& slice : slices) {
      bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
  }
  return bytes;
}

}  // namespace

// The connections and the calls on them. Thread-safe.
class InferenceClient::Transport {
 public:
  Transport(std::string_view address, const ClientOptions& options)
      : address_(address),
        default_timeout_(options.default_timeout),
        channels_(OpenChannels(address, options.channels)) {
    for (const auto& channel : channels_) {
      stubs_.push_back(inference::GRPCInferenceService::NewStub(channel));
    }
  }

  ~Transport() {
    in_flight_.WaitForNone();
    queue_.Shutdown();
    if (answers_.joinable()) {
      answers_.join();
    }
  }

  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // Calls `method` and waits for the answer.
  template <typename Request, typename Response>
  absl::Status Call(grpc::Status (Stub::*method)(grpc::ClientContext*,
                                                 const Request&, Response*),
                    const Request& request, const CallOptions& options,
                    Response& response) {
    grpc::ClientContext context;
    SetDeadline(options, context);
    Stub& stub = *stubs_[NextIndex()];
    return FromGrpcStatus((stub.*method)(&context, request, &response),
                          address_);
  }

  void InferAsync(const InferRequest& request, InferCallback callback,
                  const CallOptions& options) {
    auto call = std::make_unique<AsyncCall>();
    SetDeadline(options, call->context);
    call->request = ToMessage(request);
    call->callback = std::move(callback);
    call->address = address_;
    in_flight_.Add();
    std::call_once(answers_started_, [this] {
      answers_ = std::thread([this] { TakeAnswers(); });
    });
    call->reader = stubs_[NextIndex()]->AsyncModelInfer(&call->context,
                                                        call->request, &queue_);
    // From here on TakeAnswers() owns it.
    AsyncCall* const tag = call.release();
    tag->reader->Finish(tag->response.get(), &tag->status, tag);
  }

  // Calls `method` with a message that is encoded already, and waits.
  absl::StatusOr<std::string> CallBytes(const char* method,
                                        const std::string& request,
                                        const CallOptions& options) {
    grpc::ClientContext context;
    SetDeadline(options, context);
    const grpc::Slice slice(request);
    const grpc::ByteBuffer request_buffer(&slice, 1);
    grpc::ByteBuffer response_buffer;
    grpc::CompletionQueue queue;
    const auto reader =
        grpc::GenericStub(channels_[NextIndex()])
            .PrepareUnaryCall(&context, method, request_buffer, &queue);
    grpc::Status status;
    reader->StartCall();
    reader->Finish(&response_buffer, &status, /*tag=*/&status);
    queue.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue.Next(&tag, &ok)) {
      // Until the one answer is there, and the queue is empty.
    }
    RETURN_IF_ERROR(FromGrpcStatus(status, address_));
    return BytesOf(response_buffer);
  }

 private:
  // Finishes the asynchronous calls. Our own queue and thread, not gRPC's
  // callbacks: with gRPC 1.51, to close the last channel that used these aborts
  // the process now and then.
  void TakeAnswers() {
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
      std::unique_ptr<AsyncCall> call(static_cast<AsyncCall*>(tag));
      Finish(*call, call->status);
      call.reset();
      in_flight_.Remove();
    }
  }

  void SetDeadline(const CallOptions& options, grpc::ClientContext& context) {
    using std::chrono::milliseconds;
    const milliseconds timeout =
        options.timeout == milliseconds(0) ? default_timeout_ : options.timeout;
    // A timeout below 0 is one that has passed already.
    context.set_deadline(std::chrono::system_clock::now() +
                         std::clamp(timeout, milliseconds(-1), kMaxTimeout));
  }

  std::size_t NextIndex() {
    // Relaxed: only a number, whose order with other memory does not matter.
    return next_.fetch_add(1, std::memory_order_relaxed) % channels_.size();
  }

  const std::string address_;
  const std::chrono::milliseconds default_timeout_;
  const std::vector<std::shared_ptr<grpc::Channel>> channels_;
  std::vector<std::unique_ptr<Stub>> stubs_;  // One a channel.
  std::atomic<std::size_t> next_{0};
  InFlight in_flight_;
  grpc::CompletionQueue queue_;  // Of the asynchronous calls.
  std::once_flag answers_started_;
  std::thread answers_;  // Runs TakeAnswers(), from the first of them on.
};

absl::StatusOr<std::unique_ptr<InferenceClient>> InferenceClient::Create(
    std::string_view address, const ClientOptions& options) {
  if (address.empty()) {
    return absl::InvalidArgumentError(
        "address: it is empty, a gRPC target such as \"localhost:8001\" is "
        "wanted");
  }
  if (options.channels < 1 || options.channels > kMaxChannels) {
    return absl::InvalidArgumentError(
        fmt::format("channels: {}, from 1 to {} are possible", options.channels,
                    kMaxChannels));
  }
  if (options.default_timeout <= std::chrono::milliseconds(0)) {
    return absl::InvalidArgumentError(
        fmt::format("default_timeout: {} ms, it must be above 0",
                    options.default_timeout.count()));
  }
  return std::make_unique<InferenceClient>(
      std::make_unique<Transport>(address, options));
}

InferenceClient::InferenceClient(std::unique_ptr<Transport> transport)
    : transport_(std::move(transport)) {}

InferenceClient::~InferenceClient() = default;

absl::StatusOr<InferResult> InferenceClient::Infer(const InferRequest& request,
                                                   const CallOptions& options) {
  auto response = std::make_unique<inference::ModelInferResponse>();
  RETURN_IF_ERROR(transport_->Call(&Stub::ModelInfer, ToMessage(request),
                                   options, *response));
  return FromMessage(std::move(response));
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
  transport_->InferAsync(request, std::move(callback), options);
}

absl::StatusOr<bool> InferenceClient::ServerLive(const CallOptions& options) {
  inference::ServerLiveResponse response;
  RETURN_IF_ERROR(transport_->Call(
      &Stub::ServerLive, inference::ServerLiveRequest(), options, response));
  return response.live();
}

absl::StatusOr<bool> InferenceClient::ServerReady(const CallOptions& options) {
  inference::ServerReadyResponse response;
  RETURN_IF_ERROR(transport_->Call(
      &Stub::ServerReady, inference::ServerReadyRequest(), options, response));
  return response.ready();
}

absl::StatusOr<bool> InferenceClient::ModelReady(std::string_view model,
                                                 std::string_view version,
                                                 const CallOptions& options) {
  inference::ModelReadyRequest request;
  request.set_name(std::string(model));
  request.set_version(std::string(version));
  inference::ModelReadyResponse response;
  RETURN_IF_ERROR(
      transport_->Call(&Stub::ModelReady, request, options, response));
  return response.ready();
}

absl::StatusOr<ServerMetadata> InferenceClient::ServerMetadata(
    const CallOptions& options) {
  inference::ServerMetadataResponse response;
  RETURN_IF_ERROR(transport_->Call(&Stub::ServerMetadata,
                                   inference::ServerMetadataRequest(), options,
                                   response));
  return relu::ServerMetadata{.name = response.name(),
                              .version = response.version(),
                              .extensions = {response.extensions().begin(),
                                             response.extensions().end()}};
}

absl::StatusOr<ModelMetadata> InferenceClient::ModelMetadata(
    std::string_view model, std::string_view version,
    const CallOptions& options) {
  inference::ModelMetadataRequest request;
  request.set_name(std::string(model));
  request.set_version(std::string(version));
  inference::ModelMetadataResponse response;
  RETURN_IF_ERROR(
      transport_->Call(&Stub::ModelMetadata, request, options, response));
  relu::ModelMetadata metadata{
      .name = response.name(),
      .versions = {response.versions().begin(), response.versions().end()},
      .platform = response.platform(),
      .inputs = {},
      .outputs = {}};
  for (const auto& tensor : response.inputs()) {
    metadata.inputs.push_back(FromMessage(tensor));
  }
  for (const auto& tensor : response.outputs()) {
    metadata.outputs.push_back(FromMessage(tensor));
  }
  return metadata;
}

absl::StatusOr<std::vector<ModelIndexEntry>> InferenceClient::RepositoryIndex(
    const CallOptions& options) {
  inference::RepositoryIndexResponse response;
  RETURN_IF_ERROR(transport_->Call(&Stub::RepositoryIndex,
                                   inference::RepositoryIndexRequest(), options,
                                   response));
  std::vector<ModelIndexEntry> entries;
  for (const auto& model : response.models()) {
    entries.push_back({.name = model.name(),
                       .version = model.version(),
                       .state = model.state(),
                       .reason = model.reason()});
  }
  return entries;
}

absl::StatusOr<bool> InferenceClient::Health(std::string_view service,
                                             const CallOptions& options) {
  ASSIGN_OR_RETURN(
      const std::string response,
      transport_->CallBytes(kHealthCheckMethod, EncodeHealthRequest(service),
                            options));
  return DecodeHealthResponse(response);
}

}  // namespace relu
