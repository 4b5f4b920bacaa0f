// InferenceClient: calls any server that speaks the KServe V2 / Open Inference
// Protocol over gRPC: relud, Triton, and others.
//
// This header is installed; it includes neither gRPC nor protobuf.

#ifndef CLIENT_INFERENCE_CLIENT_H_
#define CLIENT_INFERENCE_CLIENT_H_

#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/activity.h"
#include "client/client_options.h"
#include "client/explain.h"
#include "client/infer_request.h"
#include "client/infer_result.h"
#include "client/infer_stream.h"
#include "client/rank.h"
#include "client/server_info.h"

namespace relu {

class ClientTransport;

// How InferRows() splits a request.
struct RowsOptions {
  std::int64_t rows_per_call = 64;  // At most.
  int calls_in_flight = 8;          // At most, at the same time.
};

// Thread-safe: any number of threads may call at the same time, and share the
// connections. Every error is an absl::Status with the server's code and
// message; DEADLINE_EXCEEDED if the timeout passed, UNAVAILABLE if no server
// can be reached, INTERNAL if an answer makes no sense. If the server sent
// details (grpc-status-details-bin), they are the payload kStatusDetailsUrl.
class InferenceClient {
 public:
  using InferCallback = absl::AnyInvocable<void(absl::StatusOr<InferResult>)>;

  // `address` is a gRPC target: "host:port", "dns:///name:port" (all of the
  // name's addresses), "ipv4:1.2.3.4:8001,5.6.7.8:8001" or "unix:/path"; or a
  // list "a:8001,b:8001", whose names are looked up here, once. Does not
  // connect yet: the first call does. INVALID_ARGUMENT, naming it, if the
  // address or an option is wrong; UNAVAILABLE if a name of a list is not
  // known.
  static absl::StatusOr<std::unique_ptr<InferenceClient>> Create(
      std::string_view address, const ClientOptions& options = {});

  // For Create() only.
  explicit InferenceClient(std::unique_ptr<ClientTransport> transport);
  // Waits until the calls in flight are answered and their callbacks have
  // returned, so a callback must not destroy its client.
  ~InferenceClient();

  InferenceClient(const InferenceClient&) = delete;
  InferenceClient& operator=(const InferenceClient&) = delete;

  // --- Inference ---

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

  // Sends the rows of `request` (the first dimension of its inputs) in several
  // calls and joins their answers into one. The timeout is that of all of it.
  // The first error ends it.
  absl::StatusOr<InferResult> InferRows(const InferRequest& request,
                                        const RowsOptions& rows = {},
                                        const CallOptions& options = {});

  // Opens a stream (Triton's ModelStreamInfer). The timeout is that of each
  // operation on it, not of the stream; it must end before this client does. If
  // it is the first call of the client, waits until servers are connected.
  std::unique_ptr<InferStream> Stream(const CallOptions& options = {});

  // What each input contributes to an output: of relud alone.
  absl::StatusOr<ExplainResult> Explain(const ExplainRequest& request,
                                        const CallOptions& options = {});

  // The scores of items that share features: of relud alone.
  absl::StatusOr<RankResult> Rank(const RankRequest& request,
                                  const CallOptions& options = {});

  // What the neurons of a model do, and how far that is from its calibration:
  // of relud alone.
  absl::StatusOr<ActivityResult> GetActivity(const ActivityRequest& request,
                                             const CallOptions& options = {});

  // --- Health ---

  absl::StatusOr<bool> ServerLive(const CallOptions& options = {});
  absl::StatusOr<bool> ServerReady(const CallOptions& options = {});
  // An empty `version` means the latest.
  absl::StatusOr<bool> ModelReady(std::string_view model,
                                  std::string_view version = "",
                                  const CallOptions& options = {});
  // grpc.health.v1 Check: true if `service` is SERVING. "" is the whole server,
  // a model's name that model. NOT_FOUND if the server does not know it.
  absl::StatusOr<bool> Health(std::string_view service = "",
                              const CallOptions& options = {});

  // --- What a server is and has ---

  absl::StatusOr<relu::ServerMetadata> ServerMetadata(
      const CallOptions& options = {});
  absl::StatusOr<relu::ModelMetadata> ModelMetadata(
      std::string_view model, std::string_view version = "",
      const CallOptions& options = {});
  absl::StatusOr<ModelConfiguration> ModelConfig(
      std::string_view model, std::string_view version = "",
      const CallOptions& options = {});
  // Empty: every model and version.
  absl::StatusOr<std::vector<relu::ModelStatistics>> ModelStatistics(
      std::string_view model = "", std::string_view version = "",
      const CallOptions& options = {});

  // --- The model repository ---

  // The models of the server's repository.
  absl::StatusOr<std::vector<ModelIndexEntry>> RepositoryIndex(
      const CallOptions& options = {});
  // Loads or reloads a model; returns when it is served. Sent once, never
  // again.
  absl::Status LoadModel(std::string_view model,
                         const LoadModelOptions& load = {},
                         const CallOptions& options = {});
  // Takes a model out of service. Sent once, never again.
  absl::Status UnloadModel(std::string_view model,
                           const CallOptions& options = {});

 private:
  std::unique_ptr<ClientTransport> transport_;
};

}  // namespace relu

#endif  // CLIENT_INFERENCE_CLIENT_H_
