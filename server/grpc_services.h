// What gRPC is told of our services, and what every call of a client needs.

#ifndef SERVER_GRPC_SERVICES_H_
#define SERVER_GRPC_SERVICES_H_

#include "grpcpp/generic/async_generic_service.h"

#include "proto/inference.grpc.pb.h"
#include "server/health.h"
#include "server/infer_exchange.h"
#include "server/lost_requests.h"
#include "server/rpc_table.h"

namespace relu {

// The V2 service: ModelInfer arrives as raw bytes together with its call. All
// other methods, of this service and of any other, arrive at the generic
// service. So nothing runs on threads of gRPC's own.
class InferService final
    : public inference::GRPCInferenceService::WithRawMethod_ModelInfer<
          inference::GRPCInferenceService::Service> {
 public:
  InferService() {
    const google::protobuf::ServiceDescriptor& service =
        *inference::ModelInferRequest::descriptor()->file()->service(0);
    for (int i = 0; i < service.method_count(); ++i) {
      if (service.method(i)->name() != "ModelInfer") {
        MarkMethodGeneric(i);
      }
    }
  }
};

// Borrowed by every call; all of it outlives them.
struct GrpcServices {
  InferService& infer;
  grpc::AsyncGenericService& generic;
  const InferEnvironment& environment;
  const RpcTable& rpcs;
  Health& health;
  LostRequests& lost;
};

}  // namespace relu

#endif  // SERVER_GRPC_SERVICES_H_
