#include "client/cli/infer_command.h"

#include <cstdint>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "grpcpp/support/status.h"
#include "gtest/gtest.h"

#include "client/cli/outcome.h"
#include "client/inference_client.h"
#include "proto/inference.pb.h"
#include "tests/client/cli/cli_support.h"
#include "tests/client/fake_server.h"

namespace relu {
namespace {

using inference::ModelInferRequest;
using inference::ModelInferResponse;
using testing::ElementsAre;
using testing::HasSubstr;

// A model with input "x" FP32 [batch,2] that answers with its input.
FakeAnswers EchoModel(std::int64_t batch = -1) {
  FakeAnswers answers;
  answers.AddInput("x", "FP32", {batch, 2});
  return answers;
}

InferOptions Options() {
  InferOptions options;
  options.model = "m";
  return options;
}

Outcome InferOf(FakeAnswers answers, const InferOptions& options,
                const std::string& standard_input) {
  const FakeServer server(std::move(answers));
  const auto client = InferenceClient::Create(server.address()).value();
  std::istringstream stream(standard_input);
  return RunInfer(*client, options, stream);
}

// The rows of each request that the server gets.
std::vector<std::int64_t> BatchesOf(FakeAnswers answers,
                                    const InferOptions& options,
                                    const std::string& standard_input) {
  std::vector<std::int64_t> batches;
  // Requests come one after the other: no lock is needed.
  answers.infer = [&batches](const ModelInferRequest& request,
                             ModelInferResponse& response) {
    batches.push_back(request.inputs(0).shape(0));
    return Echo(request, response);
  };
  EXPECT_EQ(InferOf(std::move(answers), options, standard_input).code,
            ExitCode::kOk);
  return batches;
}

TEST(InferCommandTest, AnswersAreShownBesideTheLabels) {
  InferOptions options = Options();
  options.label = "last";
  const Outcome outcome =
      InferOf(EchoModel(), options, "a,b,c\n1,2,1\n3,4,1\n6,5,1\n");
  EXPECT_EQ(outcome.code, ExitCode::kOk);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out,
            "row  x      prediction  label\n"
            "0    [1 2]  1           1      \u2713\n"
            "1    [3 4]  1           1      \u2713\n"
            "2    [6 5]  0           1      \u2717\n"
            "accuracy 0.6667 (2 of 3)\n");
}

TEST(InferCommandTest, JsonIsPrintedOnRequest) {
  InferOptions options = Options();
  options.form = OutputForm::kJson;
  options.version = "3";
  const Outcome outcome = InferOf(EchoModel(), options, "1,2\n");
  EXPECT_EQ(outcome.out,
            R"({"model_name":"m","model_version":"3","rows":1,"outputs":[)"
            R"({"name":"x","datatype":"FP32","shape":[1,2],"data":[1,2]}],)"
            R"("predictions":[1]})"
            "\n");
}

TEST(InferCommandTest, RowsAreSplitIntoBatches) {
  InferOptions options = Options();
  options.batch_rows = 2;
  EXPECT_THAT(BatchesOf(EchoModel(), options, "1,2\n3,4\n5,6\n7,8\n9,0\n"),
              ElementsAre(2, 2, 1));
}

TEST(InferCommandTest, ModelOfAFixedBatchGetsItExactly) {
  EXPECT_THAT(BatchesOf(EchoModel(1), Options(), "1,2\n3,4\n"),
              ElementsAre(1, 1));
}

TEST(InferCommandTest, RowsThatDoNotFillAFixedBatchAreWrongInput) {
  const Outcome outcome = InferOf(EchoModel(2), Options(), "1,2\n3,4\n5,6\n");
  EXPECT_EQ(outcome.code, ExitCode::kWrongInput);
  EXPECT_THAT(outcome.err, HasSubstr("3 rows, but each request must have 2"));
}

TEST(InferCommandTest, OnlyTheNamedOutputsAreAskedFor) {
  std::vector<std::string> names;
  FakeAnswers answers = EchoModel();
  answers.infer = [&names](const ModelInferRequest& request,
                           ModelInferResponse& response) {
    for (const auto& output : request.outputs()) {
      names.push_back(output.name());
    }
    return Echo(request, response);
  };
  InferOptions options = Options();
  options.outputs = {"y", "z"};
  InferOf(std::move(answers), options, "1,2\n");
  EXPECT_THAT(names, ElementsAre("y", "z"));
}

TEST(InferCommandTest, RoundingIsNoted) {
  const TemporaryFolder folder;
  InferOptions options = Options();
  options.input =
      folder.Write("x.npy", NpyBytes("<f8", "(1, 2)", BytesOf<double>({1, 2})));
  const Outcome outcome = InferOf(EchoModel(), options, "");
  EXPECT_EQ(outcome.code, ExitCode::kOk);
  EXPECT_EQ(outcome.err, "reluctl: note: input \"x\": FP64 rounded to FP32\n");
}

TEST(InferCommandTest, RowsOutsideOfTheDomainAreNoted) {
  FakeAnswers answers = EchoModel();
  answers.infer = [](const ModelInferRequest& request,
                     ModelInferResponse& response) {
    (*response.mutable_parameters())["relu_out_of_domain_rows"].set_int64_param(
        1);
    return Echo(request, response);
  };
  const Outcome outcome = InferOf(std::move(answers), Options(), "1,2\n3,4\n");
  EXPECT_EQ(outcome.code, ExitCode::kOk);
  EXPECT_THAT(outcome.err, HasSubstr("note: 1 rows are outside"));
}

TEST(InferCommandTest, UnknownModelIsRefused) {
  FakeAnswers answers = EchoModel();
  answers.status = {grpc::StatusCode::NOT_FOUND, "unknown model: 'm'"};
  const Outcome outcome = InferOf(std::move(answers), Options(), "1,2\n");
  EXPECT_EQ(outcome.code, ExitCode::kRefused);
  EXPECT_EQ(outcome.err, "reluctl: NOT_FOUND: unknown model: 'm'\n");
  EXPECT_EQ(outcome.out, "");
}

TEST(InferCommandTest, ModelOfTextsIsWrongInput) {
  FakeAnswers answers = EchoModel();
  answers.model_metadata.mutable_inputs(0)->set_datatype("BYTES");
  EXPECT_EQ(InferOf(std::move(answers), Options(), "1,2\n").code,
            ExitCode::kWrongInput);
}

TEST(InferCommandTest, UnreadableRowsAreWrongInput) {
  EXPECT_EQ(InferOf(EchoModel(), Options(), "1,2\n3\n").code,
            ExitCode::kWrongInput);
}

TEST(InferCommandTest, FailedRequestIsRefused) {
  FakeAnswers answers = EchoModel();
  answers.infer = [](const ModelInferRequest&, ModelInferResponse&) {
    return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "wrong shape");
  };
  const Outcome outcome = InferOf(std::move(answers), Options(), "1,2\n");
  EXPECT_EQ(outcome.code, ExitCode::kRefused);
  EXPECT_EQ(outcome.err, "reluctl: INVALID_ARGUMENT: wrong shape\n");
}

TEST(InferCommandTest, AnswerWithoutARowForEachSentIsRefused) {
  FakeAnswers answers = EchoModel();
  answers.infer = [](const ModelInferRequest& request,
                     ModelInferResponse& response) {
    const grpc::Status status = Echo(request, response);
    response.mutable_outputs(0)->mutable_shape()->Set(0, 1);
    response.mutable_outputs(0)->mutable_shape()->Set(1, 4);
    return status;
  };
  EXPECT_EQ(InferOf(std::move(answers), Options(), "1,2\n3,4\n").code,
            ExitCode::kRefused);
}

}  // namespace
}  // namespace relu
