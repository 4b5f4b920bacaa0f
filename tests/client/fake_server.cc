#include "tests/client/fake_server.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/status.h"
#include "grpcpp/support/sync_stream.h"

#include "core/base/check.h"
#include "core/base/mutex.h"
#include "fmt/format.h"
#include "proto/inference.grpc.pb.h"
#include "proto/inference.pb.h"
#include "proto/relu.grpc.pb.h"
#include "proto/relu.pb.h"

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

  grpc::Status ModelConfig(grpc::ServerContext*,
                           const inference::ModelConfigRequest* request,
                           inference::ModelConfigResponse* response) override {
    *response = answers_.model_config;
    response->mutable_config()->set_name(request->name());
    return answers_.status;
  }

  grpc::Status ModelStatistics(
      grpc::ServerContext*, const inference::ModelStatisticsRequest* request,
      inference::ModelStatisticsResponse* response) override {
    for (const auto& model : answers_.statistics.model_stats()) {
      if (request->name().empty() || request->name() == model.name()) {
        *response->add_model_stats() = model;
      }
    }
    return answers_.status;
  }

  grpc::Status RepositoryModelLoad(
      grpc::ServerContext*,
      const inference::RepositoryModelLoadRequest* request,
      inference::RepositoryModelLoadResponse*) override {
    const MutexLock lock(mu_);
    loads_.push_back(*request);
    return answers_.status;
  }

  grpc::Status RepositoryModelUnload(
      grpc::ServerContext*,
      const inference::RepositoryModelUnloadRequest* request,
      inference::RepositoryModelUnloadResponse*) override {
    const MutexLock lock(mu_);
    unloads_.push_back(*request);
    return answers_.status;
  }

  grpc::Status RepositoryIndex(
      grpc::ServerContext*, const inference::RepositoryIndexRequest*,
      inference::RepositoryIndexResponse* response) override {
    *response = answers_.index;
    return answers_.status;
  }

  grpc::Status ModelInfer(grpc::ServerContext* context,
                          const inference::ModelInferRequest* request,
                          inference::ModelInferResponse* response) override {
    CountInference();
    if (answers_.before_infer) {
      const grpc::Status status = answers_.before_infer(*context);
      if (!status.ok()) {
        return status;
      }
    }
    return answers_.infer_with_context
               ? answers_.infer_with_context(*context, *request, *response)
               : answers_.infer(*request, *response);
  }

  grpc::Status ModelStreamInfer(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<inference::ModelStreamInferResponse,
                               inference::ModelInferRequest>* stream) override {
    inference::ModelInferRequest request;
    while (stream->Read(&request)) {
      CountInference();
      inference::ModelStreamInferResponse response;
      auto& answer = *response.mutable_infer_response();
      const grpc::Status status = answers_.infer(request, answer);
      if (!status.ok()) {
        answer.Clear();
        answer.set_id(request.id());
        response.set_error_message(status.error_message());
      }
      stream->Write(response);
    }
    return answers_.status;
  }

  int inferences() const {
    const MutexLock lock(mu_);
    return inferences_;
  }

  std::vector<inference::RepositoryModelLoadRequest> loads() const {
    const MutexLock lock(mu_);
    return loads_;
  }

  std::vector<inference::RepositoryModelUnloadRequest> unloads() const {
    const MutexLock lock(mu_);
    return unloads_;
  }

  std::set<std::string> peers() const {
    const MutexLock lock(mu_);
    return peers_;
  }

 private:
  void CountInference() {
    const MutexLock lock(mu_);
    ++inferences_;
  }

  FakeAnswers answers_;
  mutable Mutex mu_;
  int inferences_ ABSL_GUARDED_BY(mu_) = 0;
  std::vector<inference::RepositoryModelLoadRequest> loads_
      ABSL_GUARDED_BY(mu_);
  std::vector<inference::RepositoryModelUnloadRequest> unloads_
      ABSL_GUARDED_BY(mu_);
  std::set<std::string> peers_ ABSL_GUARDED_BY(mu_);
};

class FakeServer::ReluService final : public v1::ReluService::Service {
 public:
  explicit ReluService(const FakeAnswers& answers)
      : explain_(answers.explain),
        rank_(answers.rank),
        activity_(answers.activity) {}

  grpc::Status Explain(grpc::ServerContext*, const v1::ExplainRequest* request,
                       v1::ExplainResponse* response) override {
    return Answer(explain_, *request, *response);
  }

  grpc::Status Rank(grpc::ServerContext*, const v1::RankRequest* request,
                    v1::RankResponse* response) override {
    return Answer(rank_, *request, *response);
  }

  grpc::Status GetActivity(grpc::ServerContext*,
                           const v1::GetActivityRequest* request,
                           v1::GetActivityResponse* response) override {
    return Answer(activity_, *request, *response);
  }

 private:
  template <typename Request, typename Response>
  static grpc::Status Answer(
      const FakeAnswers::Handler<Request, Response>& handler,
      const Request& request, Response& response) {
    return handler ? handler(request, response)
                   : grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "");
  }

  const FakeAnswers::Handler<v1::ExplainRequest, v1::ExplainResponse> explain_;
  const FakeAnswers::Handler<v1::RankRequest, v1::RankResponse> rank_;
  const FakeAnswers::Handler<v1::GetActivityRequest, v1::GetActivityResponse>
      activity_;
};

void FakeAnswers::AddInput(const std::string& name, const std::string& datatype,
                           const std::vector<std::int64_t>& shape) {
  auto& input = *model_metadata.add_inputs();
  input.set_name(name);
  input.set_datatype(datatype);
  input.mutable_shape()->Add(shape.begin(), shape.end());
}

FakeServer::FakeServer(FakeAnswers answers) {
  grpc::EnableDefaultHealthCheckService(answers.health);
  const std::string listen = answers.listen;
  const auto credentials = answers.credentials;
  relu_service_ = std::make_unique<ReluService>(answers);
  service_ = std::make_unique<Service>(std::move(answers));
  server_ = grpc::ServerBuilder()
                .AddListeningPort(listen, credentials, &port_)
                .SetMaxReceiveMessageSize(-1)
                .RegisterService(service_.get())
                .RegisterService(relu_service_.get())
                .BuildAndStart();
  CHECK(server_ != nullptr);
  address_ = fmt::format("127.0.0.1:{}", port_);
}

FakeServer::~FakeServer() {
  // Calls that a handler holds up, and watches of health whose client is just
  // gone, get a moment, then they are cancelled.
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
}

void FakeServer::SetServing(std::string_view service, bool serving) {
  server_->GetHealthCheckService()->SetServingStatus(std::string(service),
                                                     serving);
}

std::set<std::string> FakeServer::peers() const { return service_->peers(); }

int FakeServer::inferences() const { return service_->inferences(); }

std::vector<inference::RepositoryModelLoadRequest> FakeServer::loads() const {
  return service_->loads();
}

std::vector<inference::RepositoryModelUnloadRequest> FakeServer::unloads()
    const {
  return service_->unloads();
}

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
