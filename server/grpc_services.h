// What gRPC is told of our services, and what every call of a client needs.

#ifndef SERVER_GRPC_SERVICES_H_
#define SERVER_GRPC_SERVICES_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/server_context.h"

#include "proto/inference.grpc.pb.h"
#include "server/access.h"
#include "server/access_log.h"
#include "server/health.h"
#include "server/infer_exchange.h"
#include "server/lost_requests.h"
#include "server/rpc_table.h"

namespace relu {

// The V2 service: ModelInfer arrives as raw bytes together with its call, and
// the messages of ModelStreamInfer are raw bytes too. All other methods, of
// this service and of any other, arrive at the generic service. So nothing runs
// on threads of gRPC's own.
class InferService final
    : public inference::GRPCInferenceService::WithRawMethod_ModelStreamInfer<
          inference::GRPCInferenceService::WithRawMethod_ModelInfer<
              inference::GRPCInferenceService::Service>> {
 public:
  InferService() {
    const google::protobuf::ServiceDescriptor& service =
        *inference::ModelInferRequest::descriptor()->file()->service(0);
    for (int i = 0; i < service.method_count(); ++i) {
      const std::string& name = service.method(i)->name();
      if (name != "ModelInfer" && name != "ModelStreamInfer") {
        MarkMethodGeneric(i);
      }
    }
  }
};

// What one stream of requests may hold, read and not yet answered; beyond it
// nothing more is read, until an answer is written.
struct StreamLimits {
  std::size_t max_requests = 256;
  // Of the requests and of the answers that are ready; the last request may go
  // beyond it.
  std::size_t max_bytes = 64 << 20;
};

// Borrowed by every call; all of it outlives them.
struct GrpcServices {
  InferService& infer;
  grpc::AsyncGenericService& generic;
  const InferEnvironment& environment;
  const RpcTable& rpcs;
  Health& health;
  LostRequests& lost;
  StreamLimits stream_limits;
  const Access* access;  // nullptr: everybody may call everything.
};

// The value of a client's metadata, borrowed; empty if there is none.
inline std::string_view MetadataOf(const grpc::ServerContextBase& context,
                                   const char* key) {
  const auto& metadata = context.client_metadata();
  const auto field = metadata.find(key);
  return field == metadata.end()
             ? std::string_view()
             : std::string_view(field->second.data(), field->second.size());
}

// What a client says of its call beside the message. Borrows from `context`.
inline RequestIds RequestIdsOf(const grpc::ServerContextBase& context,
                               std::string_view protocol) {
  return {.protocol = protocol,
          .request_id = MetadataOf(context, "x-request-id"),
          .traceparent = MetadataOf(context, "traceparent")};
}

// Whether the client of a call may make it: see Access::Check. Costs nothing
// where no token is asked for.
inline absl::Status CheckAccess(const GrpcServices& services, AccessGroup group,
                                const grpc::ServerContextBase& context) {
  if (services.access == nullptr || services.access->open(group)) {
    return absl::OkStatus();
  }
  return services.access->Check(group, MetadataOf(context, "authorization"));
}

}  // namespace relu

#endif  // SERVER_GRPC_SERVICES_H_
