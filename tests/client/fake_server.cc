#include "tests/client/fake_server.h"

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/status.h"

#include "core/base/check.h"
#include "core/base/mutex.h"
#include "fmt/format.h"
#include "proto/inference.grpc.pb.h"
#include "proto/inference.pb.h"

namespace relu {

class FakeServer::Service final
    : public inference::GRPCInferenceService::Service {
 public:
  explicit Service(FakeAnswers answers) : answers_(std::move(answers)) {
    if (!answers_.infer) {
      answers_.infer = Echo;
    }
  }

  grpc::Status ServerLive(grpc::ServerContext* context,
                          const inference::ServerLiveRequest*,
                          inference::ServerLiveResponse* response) override {
    {
      const MutexLock lock(mu_);
      peers_.insert(context->peer());
    }
    response->set_live(answers_.live);
    return answers_.status;
  }

  grpc::Status ServerReady(grpc::ServerContext*,
                           const inference::ServerReadyRequest*,
                           inference::ServerReadyResponse* response) override {
    response->set_ready(answers_.ready);
    return answers_.status;
  }

  // A model is ready if its name and version are "good" and "1".
  grpc::Status ModelReady(grpc::ServerContext*,
                          const inference::ModelReadyRequest* request,
                          inference::ModelReadyResponse* response) override {
    response->set_ready(request->name() == "good" && request->version() == "1");
    return answers_.status;
  }

  grpc::Status ServerMetadata(
      grpc::ServerContext*, const inference::ServerMetadataRequest*,
      inference::ServerMetadataResponse* response) override {
    *response = answers_.server_metadata;
    return answers_.status;
  }

  grpc::Status ModelMetadata(
      grpc::ServerContext*, const inference::ModelMetadataRequest* request,
      inference::ModelMetadataResponse* response) override {
    *response = answers_.model_metadata;
    response->set_name(request->name());
    if (!request->version().empty()) {
      response->clear_versions();
      response->add_versions(request->version());
    }
    return answers_.status;
  }

  grpc::Status RepositoryIndex(
      grpc::ServerContext*, const inference::RepositoryIndexRequest*,
      inference::RepositoryIndexResponse* response) override {
    *response = answers_.index;
    return answers_.status;
  }

  grpc::Status ModelInfer(grpc::ServerContext*,
                          const inference::ModelInferRequest* request,
                          inference::ModelInferResponse* response) override {
    return answers_.infer(*request, *response);
  }

  std::set<std::string> peers() const {
    const MutexLock lock(mu_);
    return peers_;
  }

 private:
  FakeAnswers answers_;
  mutable Mutex mu_;
  std::set<std::string> peers_ ABSL_GUARDED_BY(mu_);
};

FakeServer::FakeServer(FakeAnswers answers) {
  grpc::EnableDefaultHealthCheckService(answers.health);
  service_ = std::make_unique<Service>(std::move(answers));
  int port = 0;
  server_ = grpc::ServerBuilder()
                .AddListeningPort("127.0.0.1:0",
                                  grpc::InsecureServerCredentials(), &port)
                .SetMaxReceiveMessageSize(-1)
                .RegisterService(service_.get())
                .BuildAndStart();
  CHECK(server_ != nullptr);
  address_ = fmt::format("127.0.0.1:{}", port);
}

FakeServer::~FakeServer() { server_->Shutdown(); }

void FakeServer::SetServing(std::string_view service, bool serving) {
  server_->GetHealthCheckService()->SetServingStatus(std::string(service),
                                                     serving);
}

std::set<std::string> FakeServer::peers() const { return service_->peers(); }

grpc::Status Echo(const inference::ModelInferRequest& request,
                  inference::ModelInferResponse& response) {
  response.set_model_name(request.model_name());
  response.set_model_version(request.model_version());
  response.set_id(request.id());
  for (const auto& input : request.inputs()) {
    auto& output = *response.add_outputs();
    output.set_name(input.name());
    output.set_datatype(input.datatype());
    *output.mutable_shape() = input.shape();
  }
  *response.mutable_raw_output_contents() = request.raw_input_contents();
  return grpc::Status::OK;
}

}  // namespace relu
