// InferenceClient: calls any server that speaks the KServe V2 / Open Inference
// Protocol over gRPC: relud, Triton, and others.
//
// This header is installed; it includes neither gRPC nor protobuf.

#ifndef CLIENT_INFERENCE_CLIENT_H_
#define CLIENT_INFERENCE_CLIENT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/infer_request.h"
#include "client/infer_result.h"

namespace relu {

struct ClientOptions {
  // How long a call may take if it does not say otherwise. Above 0.
  std::chrono::milliseconds default_timeout{10'000};
  // Connections to open; calls take turns. More than one helps a client that
  // keeps many calls in flight. From 1 to 1024.
  int channels = 1;
};

struct CallOptions {
  // 0: the client's default_timeout. Below 0: the time is over already.
  std::chrono::milliseconds timeout{0};
};

struct ServerMetadata {
  std::string name;
  std::string version;
  std::vector<std::string> extensions;
};

struct TensorMetadata {
  std::string name;
  std::string datatype;             // "FP32", "INT64", ...
  std::vector<std::int64_t> shape;  // -1: any size, such as the batch.
};

struct ModelMetadata {
  std::string name;
  std::vector<std::string> versions;
  std::string platform;
  std::vector<TensorMetadata> inputs;
  std::vector<TensorMetadata> outputs;
};

// One entry of the server's model repository.
struct ModelIndexEntry {
  std::string name;
  std::string version;
  std::string state;   // "READY", "UNAVAILABLE", ...
  std::string reason;  // Why it is not ready.
};

// Thread-safe: any number of threads may call at the same time, and share the
// connections. Every error is an absl::Status with the server's code and
// message; DEADLINE_EXCEEDED if the timeout passed, UNAVAILABLE if the server
// cannot be reached, INTERNAL if its answer makes no sense.
class InferenceClient {
 public:
  using InferCallback = absl::AnyInvocable<void(absl::StatusOr<InferResult>)>;

  // `address` is a gRPC target: "host:port", "dns:///name:port" or
  // "unix:/path". Does not connect yet: the first call does.
  // INVALID_ARGUMENT if the address is empty or an option is out of range.
  static absl::StatusOr<std::unique_ptr<InferenceClient>> Create(
      std::string_view address, const ClientOptions& options = {});

  class Transport;  // The connections.
  // For Create() only.
  explicit InferenceClient(std::unique_ptr<Transport> transport);
  // Waits until the calls in flight are answered and their callbacks have
  // returned, so a callback must not destroy its client.
  ~InferenceClient();

  InferenceClient(const InferenceClient&) = delete;
  InferenceClient& operator=(const InferenceClient&) = delete;

  // Sends one inference request and waits for its answer.
  absl::StatusOr<InferResult> Infer(const InferRequest& request,
                                    const CallOptions& options = {});

  // The same without waiting. `request` is read before these return. The
  // callback runs once, on a thread of the client: it must not block. Dropping
  // the future does not cancel the call.
  std::future<absl::StatusOr<InferResult>> InferAsync(
      const InferRequest& request, const CallOptions& options = {});
  void InferAsync(const InferRequest& request, InferCallback callback,
                  const CallOptions& options = {});

  absl::StatusOr<bool> ServerLive(const CallOptions& options = {});
  absl::StatusOr<bool> ServerReady(const CallOptions& options = {});
  // An empty `version` means the latest.
  absl::StatusOr<bool> ModelReady(std::string_view model,
                                  std::string_view version = "",
                                  const CallOptions& options = {});
  absl::StatusOr<relu::ServerMetadata> ServerMetadata(
      const CallOptions& options = {});
  absl::StatusOr<relu::ModelMetadata> ModelMetadata(
      std::string_view model, std::string_view version = "",
      const CallOptions& options = {});
  // The models of the server's repository.
  absl::StatusOr<std::vector<ModelIndexEntry>> RepositoryIndex(
      const CallOptions& options = {});
  // grpc.health.v1 Check: true if `service` is SERVING. "" is the whole server,
  // a model's name that model. NOT_FOUND if the server does not know it.
  absl::StatusOr<bool> Health(std::string_view service = "",
                              const CallOptions& options = {});

 private:
  std::unique_ptr<Transport> transport_;
};

}  // namespace relu

#endif  // CLIENT_INFERENCE_CLIENT_H_
