#include "client/cli/served_inputs.h"

#include <optional>
#include <utility>

#include "gmock/gmock.h"
#include "grpcpp/support/status.h"
#include "gtest/gtest.h"

#include "client/cli/outcome.h"
#include "client/cli/rows.h"
#include "client/inference_client.h"
#include "tests/client/fake_server.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::optional<Outcome> Ask(FakeAnswers answers, ModelInputs& inputs) {
  const FakeServer server(std::move(answers));
  const auto client = InferenceClient::Create(server.address()).value();
  return AskInputs(*client, "m", "2", inputs);
}

TEST(ServedInputsTest, InputsAreThoseOfTheMetadata) {
  FakeAnswers answers;
  answers.AddInput("x", "FP32", {-1, 2});
  answers.AddInput("c", "INT64", {-1, 1});
  ModelInputs inputs;
  EXPECT_FALSE(Ask(std::move(answers), inputs).has_value());
  ASSERT_EQ(inputs.inputs.size(), 2U);
  EXPECT_EQ(inputs.inputs[0].name, "x");
  EXPECT_THAT(inputs.inputs[1].row_shape, ElementsAre(1));
}

TEST(ServedInputsTest, ErrorOfTheServerIsAFailedCall) {
  FakeAnswers answers;
  answers.status = {grpc::StatusCode::NOT_FOUND, "no model \"m\""};
  ModelInputs inputs;
  const auto failed = Ask(std::move(answers), inputs);
  ASSERT_TRUE(failed.has_value());
  EXPECT_EQ(failed->code, ExitCode::kRefused);
  EXPECT_THAT(failed->err, HasSubstr("no model \"m\""));
}

TEST(ServedInputsTest, InputsThatCannotBeSentAreWrong) {
  FakeAnswers answers;
  answers.AddInput("text", "BYTES", {-1, 1});
  ModelInputs inputs;
  const auto failed = Ask(std::move(answers), inputs);
  ASSERT_TRUE(failed.has_value());
  EXPECT_EQ(failed->code, ExitCode::kWrongInput);
  EXPECT_THAT(failed->err, HasSubstr("text"));
}

}  // namespace
}  // namespace relu
