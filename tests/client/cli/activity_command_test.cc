#include "client/cli/activity_command.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "gmock/gmock.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/support/status.h"
#include "gtest/gtest.h"

#include "client/cli/outcome.h"
#include "client/cli/output_form.h"
#include "client/inference_client.h"
#include "proto/relu.grpc.pb.h"
#include "proto/relu.pb.h"
#include "tests/client/cli/cli_support.h"

namespace relu {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// Says that one layer of two neurons is at rest.
class ActivityCommandTest : public testing::Test {
 protected:
  struct Relu : v1::ReluService::Service {
    grpc::Status GetActivity(grpc::ServerContext* /*context*/,
                             const v1::GetActivityRequest* request,
                             v1::GetActivityResponse* response) override {
      asked = *request;
      response->set_model_name(request->model_name());
      response->set_sampled_rows(100);
      v1::LayerActivity& layer = *response->add_layers();
      layer.set_name("relu1");
      for (const double rate : {0.25, 1.0}) {
        layer.add_firing_rate(rate);
        layer.add_mean(rate);
        layer.add_largest(2);
      }
      return status;
    }
    v1::GetActivityRequest asked;
    grpc::Status status;
  };

  ActivityCommandTest() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port);
    builder.RegisterService(&relu_);
    server_ = builder.BuildAndStart();
    client_ =
        InferenceClient::Create("127.0.0.1:" + std::to_string(port)).value();
    options_.model = "m";
  }
  ~ActivityCommandTest() override {
    client_.reset();
    server_->Shutdown();
  }

  Outcome Run(OutputForm form = OutputForm::kTable) {
    return RunActivity(*client_, options_, {.form = form});
  }

  ActivityCommandOptions options_;
  Relu relu_;

 private:
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<InferenceClient> client_;
};

TEST_F(ActivityCommandTest, AsksForWhatIsWanted) {
  options_.version = "3";
  options_.top_k = 7;
  EXPECT_EQ(Run().code, ExitCode::kOk);
  EXPECT_EQ(relu_.asked.model_name(), "m");
  EXPECT_EQ(relu_.asked.model_version(), "3");
  EXPECT_EQ(relu_.asked.top_k(), 7U);
}

TEST_F(ActivityCommandTest, EachFormIsPrinted) {
  EXPECT_THAT(Run().out, HasSubstr("100 rows looked at"));
  EXPECT_THAT(Run(OutputForm::kJson).out, StartsWith("{\"model_name\":\"m\""));
  EXPECT_THAT(Run(OutputForm::kCsv).out, HasSubstr("relu1,1,1,"));
}

TEST_F(ActivityCommandTest, NeuronsOfALayerArePrinted) {
  options_.layer = "relu1";
  EXPECT_THAT(Run().out, StartsWith("layer  neuron"));
  options_.layer = "relu9";
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kWrongInput);
  EXPECT_THAT(outcome.err,
              HasSubstr("no layer \"relu9\", the model has \"relu1\""));
}

TEST_F(ActivityCommandTest, PictureIsWritten) {
  const TemporaryFolder folder;
  options_.picture = folder.Write("a.svg", "");
  EXPECT_EQ(Run().code, ExitCode::kOk);
  std::ostringstream text;
  text << std::ifstream(options_.picture).rdbuf();
  EXPECT_THAT(text.str(), StartsWith("<svg "));
  options_.picture = "/no/such/folder/a.svg";
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kWrongInput);
  EXPECT_THAT(outcome.err, HasSubstr("/no/such/folder/a.svg: cannot be"));
}

TEST_F(ActivityCommandTest, ErrorOfTheServerIsTold) {
  relu_.status = {grpc::StatusCode::FAILED_PRECONDITION, "no rows"};
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kRefused);
  EXPECT_THAT(outcome.err, HasSubstr("no rows"));
}

}  // namespace
}  // namespace relu
