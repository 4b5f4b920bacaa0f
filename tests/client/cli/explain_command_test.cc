#include "client/cli/explain_command.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/support/status.h"
#include "gtest/gtest.h"

#include "client/cli/outcome.h"
#include "client/inference_client.h"
#include "proto/inference.grpc.pb.h"
#include "proto/relu.grpc.pb.h"
#include "proto/relu.pb.h"
#include <nlohmann/json.hpp>

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A model with "x" of 2 floats and "c" of 1 integer, whose contributions are
// ten times the values.
class FakeExplainer {
 public:
  FakeExplainer() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port);
    builder.RegisterService(&v2_);
    builder.RegisterService(&relu_);
    server_ = builder.BuildAndStart();
    client_ =
        InferenceClient::Create("127.0.0.1:" + std::to_string(port)).value();
  }
  ~FakeExplainer() {
    client_.reset();
    server_->Shutdown();
  }
  FakeExplainer(const FakeExplainer&) = delete;
  FakeExplainer& operator=(const FakeExplainer&) = delete;

  InferenceClient& client() { return *client_; }
  const std::vector<v1::ExplainRequest>& requests() const {
    return relu_.requests;
  }
  void Refuse(const grpc::Status& status) { relu_.status = status; }

 private:
  struct V2 : inference::GRPCInferenceService::Service {
    grpc::Status ModelMetadata(
        grpc::ServerContext* /*context*/,
        const inference::ModelMetadataRequest* /*request*/,
        inference::ModelMetadataResponse* response) override {
      Add("x", "FP32", 2, *response);
      Add("c", "INT64", 1, *response);
      return grpc::Status::OK;
    }
    static void Add(const char* name, const char* type, std::int64_t size,
                    inference::ModelMetadataResponse& response) {
      auto& input = *response.add_inputs();
      input.set_name(name);
      input.set_datatype(type);
      input.add_shape(-1);
      input.add_shape(size);
    }
  };

  struct Relu : v1::ReluService::Service {
    grpc::Status Explain(grpc::ServerContext* /*context*/,
                         const v1::ExplainRequest* request,
                         v1::ExplainResponse* response) override {
      requests.push_back(*request);
      response->set_output("y");
      response->set_link("Sigmoid");
      for (int row = 0; row < request->inputs(0).shape(0); ++row) {
        auto& explanation = *response->add_explanations();
        explanation.set_row(row);
        explanation.set_answer(0.75);
        explanation.set_value(100);
        explanation.set_remainder(1);
        auto& contribution = *explanation.add_contributions();
        contribution.set_input("x");
        contribution.set_element(1);
        contribution.set_value(request->inputs(0).data(2 * row + 1));
        contribution.set_contribution(10 * contribution.value());
      }
      return status;
    }
    std::vector<v1::ExplainRequest> requests;
    grpc::Status status;
  };

  V2 v2_;
  Relu relu_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<InferenceClient> client_;
};

class ExplainCommandTest : public testing::Test {
 protected:
  Outcome Run(const ExplainCommandOptions& options) {
    std::istringstream input(
        "age,income,home,label\n30,4,1,0\n40,5,2,1\n"
        "50,6,0,1\n");
    return RunExplain(fake_.client(), options, input);
  }

  static ExplainCommandOptions Labelled() {
    ExplainCommandOptions options;
    options.model = "m";
    options.label = "label";
    return options;
  }

  FakeExplainer fake_;
};

TEST_F(ExplainCommandTest, RowsAreSentAndContributionsShownByColumn) {
  const Outcome outcome = Run(Labelled());
  EXPECT_EQ(outcome.code, ExitCode::kOk) << outcome.err;
  ASSERT_EQ(fake_.requests().size(), 1U);
  const v1::ExplainRequest& request = fake_.requests()[0];
  EXPECT_EQ(request.model_name(), "m");
  EXPECT_EQ(request.top_k(), 5U);
  EXPECT_THAT(request.inputs(0).shape(), ElementsAre(3, 2));
  EXPECT_THAT(request.inputs(0).data(), ElementsAre(30, 4, 40, 5, 50, 6));
  EXPECT_THAT(request.inputs(1).data(), ElementsAre(1, 2, 0));
  EXPECT_EQ(request.baseline_size(), 0);
  EXPECT_THAT(outcome.out,
              StartsWith("row 0: y[0] = 0.75, Sigmoid of 100, intercept 0\n"
                         "feature"));
  EXPECT_THAT(outcome.out, HasSubstr("income"));
  EXPECT_THAT(outcome.out, HasSubstr("+40"));
  // 100 - 0 - 1 - 40
  EXPECT_THAT(outcome.out, HasSubstr("(2 others)"));
  EXPECT_THAT(outcome.out, HasSubstr("+59"));
}

TEST_F(ExplainCommandTest, BatchesAreJoined) {
  ExplainCommandOptions options = Labelled();
  options.batch_rows = 2;
  options.json = true;
  const auto json = nlohmann::json::parse(Run(options).out);
  EXPECT_EQ(fake_.requests().size(), 2U);
  ASSERT_EQ(json["explanations"].size(), 3U);
  EXPECT_EQ(json["explanations"][2]["row"], 2);
  EXPECT_EQ(json["explanations"][2]["contributions"][0]["contribution"], 60);
  EXPECT_EQ(json["explanations"][2]["contributions"][0]["feature"], "income");
}

TEST_F(ExplainCommandTest, EveryOptionIsSent) {
  const std::filesystem::path file =
      std::filesystem::path(testing::TempDir()) / "baseline.csv";
  std::ofstream(file) << "age,income,home\n1,2,0\n3,4,1\n5,6,2\n";
  ExplainCommandOptions options = Labelled();
  options.version = "3";
  options.baseline = file.string();
  options.method = "exact";
  options.output = "y";
  options.elements = {2};
  options.top_k = 0;
  options.batch_rows = 2;
  const Outcome outcome = Run(options);
  ASSERT_EQ(fake_.requests().size(), 2U) << outcome.err;
  const v1::ExplainRequest& request = fake_.requests()[1];
  EXPECT_EQ(request.model_version(), "3");
  EXPECT_THAT(request.baseline(0).data(), ElementsAre(5, 6));
  EXPECT_EQ(request.attribution(), v1::ATTRIBUTION_EXACT_INTEGRATED_GRADIENTS);
  EXPECT_EQ(request.output(), "y");
  EXPECT_THAT(request.elements(), ElementsAre(2));
  EXPECT_EQ(request.top_k(), 0U);
  EXPECT_THAT(outcome.out, HasSubstr(", baseline 0"));
  EXPECT_THAT(outcome.out, HasSubstr("(not explained)"));

  std::ofstream(file) << "1,2,0\n3,4,1\n";
  const Outcome two = Run(options);
  EXPECT_EQ(two.code, ExitCode::kWrongInput);
  EXPECT_THAT(two.err, HasSubstr("2 rows, wanted is 1, or one for each of the "
                                 "3 rows"));
  std::filesystem::remove(file);
}

TEST_F(ExplainCommandTest, RefusalsAreShown) {
  fake_.Refuse({grpc::StatusCode::UNIMPLEMENTED, "node \"a\" (Elu)"});
  const Outcome outcome = Run(Labelled());
  EXPECT_EQ(outcome.code, ExitCode::kRefused);
  EXPECT_THAT(outcome.err, HasSubstr("(Elu)"));
}

}  // namespace
}  // namespace relu
