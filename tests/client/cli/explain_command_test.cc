#include "client/cli/explain_command.h"

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "grpcpp/support/status.h"
#include "gtest/gtest.h"

#include "client/cli/outcome.h"
#include "client/inference_client.h"
#include "proto/relu.pb.h"
#include "tests/client/cli/cli_support.h"
#include "tests/client/fake_server.h"
#include <nlohmann/json.hpp>

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A model with "x" of 2 floats and "c" of 1 integer, whose contributions are
// ten times the values.
FakeAnswers Explainer(std::vector<v1::ExplainRequest>& requests,
                      const grpc::Status& status) {
  FakeAnswers answers;
  answers.AddInput("x", "FP32", {-1, 2});
  answers.AddInput("c", "INT64", {-1, 1});
  answers.explain = [&](const v1::ExplainRequest& request,
                        v1::ExplainResponse& response) {
    requests.push_back(request);
    response.set_output("y");
    response.set_link("Sigmoid");
    if (request.model_name() == "clamping") {
      response.mutable_findings()->set_out_of_domain_rows(1);
      response.mutable_findings()->set_out_of_domain_first("row 0 is odd");
      response.mutable_findings()->set_clamped_rows(1);
    }
    for (int row = 0; row < request.inputs(0).shape(0); ++row) {
      auto& explanation = *response.add_explanations();
      explanation.set_row(row);
      explanation.set_answer(0.75);
      explanation.set_value(100);
      explanation.set_remainder(1);
      auto& contribution = *explanation.add_contributions();
      contribution.set_input("x");
      contribution.set_element(1);
      contribution.set_value(request.inputs(0).data(2 * row + 1));
      contribution.set_contribution(10 * contribution.value());
    }
    return status;
  };
  return answers;
}

class ExplainCommandTest : public testing::Test {
 protected:
  Outcome Run(const ExplainCommandOptions& options) {
    std::istringstream input(
        "age,income,home,label\n30,4,1,0\n40,5,2,1\n"
        "50,6,0,1\n");
    return RunExplain(*client_, options, input);
  }

  static ExplainCommandOptions Labelled() {
    ExplainCommandOptions options;
    options.model = "m";
    options.label = "label";
    return options;
  }

  std::vector<v1::ExplainRequest> requests_;
  grpc::Status status_;  // That the server answers with.
  const FakeServer server_{Explainer(requests_, status_)};
  const std::unique_ptr<InferenceClient> client_ =
      InferenceClient::Create(server_.address()).value();
};

TEST_F(ExplainCommandTest, RowsAreSentAndContributionsShownByColumn) {
  const Outcome outcome = Run(Labelled());
  EXPECT_EQ(outcome.code, ExitCode::kOk) << outcome.err;
  ASSERT_EQ(requests_.size(), 1U);
  const v1::ExplainRequest& request = requests_[0];
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

TEST_F(ExplainCommandTest, FindingsOfAllBatchesAreANote) {
  ExplainCommandOptions options = Labelled();
  EXPECT_EQ(Run(options).err, "");
  options.model = "clamping";
  options.batch_rows = 2;
  EXPECT_EQ(Run(options).err,
            "reluctl: note: 2 rows are outside of the model's domain, and the "
            "nearest rows of it are answered; the first: row 0 is odd\n");
}

TEST_F(ExplainCommandTest, BatchesAreJoined) {
  ExplainCommandOptions options = Labelled();
  options.batch_rows = 2;
  options.json = true;
  const auto json = nlohmann::json::parse(Run(options).out);
  EXPECT_EQ(requests_.size(), 2U);
  ASSERT_EQ(json["explanations"].size(), 3U);
  EXPECT_EQ(json["explanations"][2]["row"], 2);
  EXPECT_EQ(json["explanations"][2]["contributions"][0]["contribution"], 60);
  EXPECT_EQ(json["explanations"][2]["contributions"][0]["feature"], "income");
}

TEST_F(ExplainCommandTest, EveryOptionIsSent) {
  const TemporaryFolder folder;
  ExplainCommandOptions options = Labelled();
  options.version = "3";
  options.baseline =
      folder.Write("baseline.csv", "age,income,home\n1,2,0\n3,4,1\n5,6,2\n");
  options.method = "exact";
  options.output = "y";
  options.elements = {2};
  options.top_k = 0;
  options.batch_rows = 2;
  const Outcome outcome = Run(options);
  ASSERT_EQ(requests_.size(), 2U) << outcome.err;
  const v1::ExplainRequest& request = requests_[1];
  EXPECT_EQ(request.model_version(), "3");
  EXPECT_THAT(request.baseline(0).data(), ElementsAre(5, 6));
  EXPECT_EQ(request.attribution(), v1::ATTRIBUTION_EXACT_INTEGRATED_GRADIENTS);
  EXPECT_EQ(request.output(), "y");
  EXPECT_THAT(request.elements(), ElementsAre(2));
  EXPECT_EQ(request.top_k(), 0U);
  EXPECT_THAT(outcome.out, HasSubstr(", baseline 0"));
  EXPECT_THAT(outcome.out, HasSubstr("(not explained)"));

  folder.Write("baseline.csv", "1,2,0\n3,4,1\n");
  const Outcome two = Run(options);
  EXPECT_EQ(two.code, ExitCode::kWrongInput);
  EXPECT_THAT(two.err, HasSubstr("2 rows, wanted is 1, or one for each of the "
                                 "3 rows"));
}

TEST_F(ExplainCommandTest, MethodsOnTheWayFromABaselineWantOne) {
  for (const char* method : {"integrated", "exact"}) {
    ExplainCommandOptions options = Labelled();
    options.method = method;
    const Outcome outcome = Run(options);
    EXPECT_EQ(outcome.code, ExitCode::kWrongInput);
    EXPECT_THAT(outcome.err, HasSubstr(method));
    EXPECT_THAT(outcome.err, HasSubstr("--baseline FILE is wanted"));
  }
  EXPECT_TRUE(requests_.empty());
}

TEST_F(ExplainCommandTest, BaselineWithALabelIsWrongInput) {
  const TemporaryFolder folder;
  ExplainCommandOptions options = Labelled();
  options.baseline = folder.Write("b.csv", "age,income,home,label\n1,2,0,1\n");
  const Outcome outcome = Run(options);
  EXPECT_EQ(outcome.code, ExitCode::kWrongInput);
  EXPECT_THAT(outcome.err, HasSubstr("a baseline has no label column"));
  folder.Write("b.csv", "1,2\n");
  EXPECT_THAT(Run(options).err, HasSubstr("2 columns, the model wants 3"));
}

TEST_F(ExplainCommandTest, RefusalsAreShown) {
  status_ = {grpc::StatusCode::UNIMPLEMENTED, "node \"a\" (Elu)"};
  const Outcome outcome = Run(Labelled());
  EXPECT_EQ(outcome.code, ExitCode::kRefused);
  EXPECT_THAT(outcome.err, HasSubstr("(Elu)"));
}

}  // namespace
}  // namespace relu
