// FakeServer: a V2 server in the test's process that answers as it is told, and
// so do its calls of relu.v1.ReluService.

#ifndef TESTS_CLIENT_FAKE_SERVER_H_
#define TESTS_CLIENT_FAKE_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/status.h"

#include "proto/inference.grpc.pb.h"
#include "proto/inference.pb.h"
#include "proto/relu.pb.h"

namespace relu {

// What the server answers; set before it is made, and not changed after. A
// handler runs on threads of gRPC, many at once.
struct FakeAnswers {
  template <typename Request, typename Response>
  using Handler = std::function<grpc::Status(const Request&, Response&)>;

  bool live = true;
  bool ready = true;
  // If not OK, every call but ModelInfer gets it.
  grpc::Status status{};
  inference::ServerMetadataResponse server_metadata{};
  inference::ModelMetadataResponse model_metadata{};
  inference::ModelConfigResponse model_config{};
  inference::ModelStatisticsResponse statistics{};
  inference::RepositoryIndexResponse index{};
  // By default the inputs come back as outputs, raw. Also for each message of a
  // stream, where a status that is not OK becomes its error.
  Handler<inference::ModelInferRequest, inference::ModelInferResponse> infer{};
  // Sees the context of each ModelInfer before `infer` does; a status that is
  // not OK is the answer.
  std::function<grpc::Status(grpc::ServerContext&)> before_infer{};
  // If there is one, answers ModelInfer in the place of `infer`.
  std::function<grpc::Status(grpc::ServerContext&,
                             const inference::ModelInferRequest&,
                             inference::ModelInferResponse&)>
      infer_with_context{};
  // Calls of relu.v1.ReluService; UNIMPLEMENTED where there is none.
  Handler<v1::ExplainRequest, v1::ExplainResponse> explain{};
  Handler<v1::RankRequest, v1::RankResponse> rank{};
  Handler<v1::GetActivityRequest, v1::GetActivityResponse> activity{};
  // Answers grpc.health.v1 for this server too.
  bool health = true;
  std::shared_ptr<grpc::ServerCredentials> credentials =
      grpc::InsecureServerCredentials();
  std::string listen = "127.0.0.1:0";

  // To the metadata of the model. -1: any size.
  void AddInput(const std::string& name, const std::string& datatype,
                const std::vector<std::int64_t>& shape);
};

// Listens on a free port of the loopback until it is destroyed, which waits for
// the calls in flight.
class FakeServer {
 public:
  explicit FakeServer(FakeAnswers answers = {});
  ~FakeServer();

  const std::string& address() const { return address_; }
  int port() const { return port_; }
  // grpc.health.v1 for `service`; "" is SERVING from the start.
  void SetServing(std::string_view service, bool serving);
  // The connections that have called ServerLive.
  std::set<std::string> peers() const;
  // Calls of ModelInfer and messages of streams so far.
  int inferences() const;
  std::vector<inference::RepositoryModelLoadRequest> loads() const;
  std::vector<inference::RepositoryModelUnloadRequest> unloads() const;

 private:
  class Service;
  class ReluService;

  std::unique_ptr<Service> service_;
  std::unique_ptr<ReluService> relu_service_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  std::string address_;
};

// The answer that holds the request's inputs as outputs.
grpc::Status Echo(const inference::ModelInferRequest& request,
                  inference::ModelInferResponse& response);

}  // namespace relu

#endif  // TESTS_CLIENT_FAKE_SERVER_H_
