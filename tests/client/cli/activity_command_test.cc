#include "client/cli/activity_command.h"

#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "gmock/gmock.h"
#include "grpcpp/support/status.h"
#include "gtest/gtest.h"

#include "client/cli/outcome.h"
#include "client/cli/output_form.h"
#include "client/inference_client.h"
#include "proto/relu.pb.h"
#include "tests/client/cli/cli_support.h"
#include "tests/client/fake_server.h"

namespace relu {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// Says that one layer of two neurons is at rest.
FakeAnswers AtRest(v1::GetActivityRequest& asked, const grpc::Status& status) {
  FakeAnswers answers;
  answers.activity = [&](const v1::GetActivityRequest& request,
                         v1::GetActivityResponse& response) {
    asked = request;
    response.set_model_name(request.model_name());
    response.set_sampled_rows(100);
    v1::LayerActivity& layer = *response.add_layers();
    layer.set_name("relu1");
    for (const double rate : {0.25, 1.0}) {
      layer.add_firing_rate(rate);
      layer.add_mean(rate);
      layer.add_largest(2);
    }
    return status;
  };
  return answers;
}

class ActivityCommandTest : public testing::Test {
 protected:
  ActivityCommandTest() { options_.model = "m"; }

  Outcome Run(OutputForm form = OutputForm::kTable) {
    return RunActivity(*client_, options_, {.form = form});
  }

  ActivityCommandOptions options_;
  v1::GetActivityRequest asked_;
  grpc::Status status_;  // That the server answers with.

 private:
  const FakeServer server_{AtRest(asked_, status_)};
  const std::unique_ptr<InferenceClient> client_ =
      InferenceClient::Create(server_.address()).value();
};

TEST_F(ActivityCommandTest, AsksForWhatIsWanted) {
  options_.version = "3";
  options_.top_k = 7;
  EXPECT_EQ(Run().code, ExitCode::kOk);
  EXPECT_EQ(asked_.model_name(), "m");
  EXPECT_EQ(asked_.model_version(), "3");
  EXPECT_EQ(asked_.top_k(), 7U);
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
  status_ = {grpc::StatusCode::FAILED_PRECONDITION, "no rows"};
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kRefused);
  EXPECT_THAT(outcome.err, HasSubstr("no rows"));
}

}  // namespace
}  // namespace relu
