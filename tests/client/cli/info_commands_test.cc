#include "client/cli/info_commands.h"

#include <memory>
#include <string>
#include <utility>

#include "grpcpp/support/status.h"
#include "gtest/gtest.h"

#include "client/cli/outcome.h"
#include "client/cli/output_form.h"
#include "client/inference_client.h"
#include "proto/inference.pb.h"
#include "tests/client/fake_server.h"

namespace relu {
namespace {

std::unique_ptr<InferenceClient> ClientOf(const FakeServer& server) {
  return InferenceClient::Create(server.address()).value();
}

constexpr OutputStyle kJsonStyle{.form = OutputForm::kJson};

// A server and its models that tell all that they can.
FakeAnswers Talkative() {
  FakeAnswers answers;
  answers.server_metadata.set_name("fake");
  answers.server_metadata.set_version("1.2");
  answers.server_metadata.add_extensions("a");
  answers.server_metadata.add_extensions("b");
  answers.model_metadata.set_platform("onnx");
  answers.model_metadata.add_versions("1");
  answers.model_metadata.add_versions("2");
  answers.AddInput("x", "FP32", {-1, 64});
  auto& output = *answers.model_metadata.add_outputs();
  output.set_name("label");
  output.set_datatype("INT64");
  output.add_shape(-1);
  auto& model = *answers.index.add_models();
  model.set_name("digits");
  model.set_version("1");
  model.set_state("UNAVAILABLE");
  model.set_reason("cut off\nat byte 7");
  return answers;
}

FakeAnswers Refusing() {
  FakeAnswers answers;
  answers.health = false;
  answers.status = {grpc::StatusCode::PERMISSION_DENIED, "no"};
  return answers;
}

TEST(InfoCommandsTest, HealthIsPrintedAndDecidesTheExitCode) {
  FakeServer server;
  server.SetServing("up", true);
  server.SetServing("down", false);
  const auto client = ClientOf(server);
  const Outcome whole = RunHealth(*client, "");
  EXPECT_EQ(whole.out, "SERVING\n");
  EXPECT_EQ(whole.code, ExitCode::kOk);
  EXPECT_EQ(RunHealth(*client, "up").out, "SERVING\n");
  const Outcome down = RunHealth(*client, "down");
  EXPECT_EQ(down.out, "NOT_SERVING\n");
  EXPECT_EQ(down.code, ExitCode::kNotServing);
  const Outcome unknown = RunHealth(*client, "other");
  EXPECT_EQ(unknown.out, "SERVICE_UNKNOWN\n");
  EXPECT_EQ(unknown.code, ExitCode::kNotServing);
}

TEST(InfoCommandsTest, ServerMetadataIsATable) {
  const FakeServer server(Talkative());
  EXPECT_EQ(RunServerMetadata(*ClientOf(server), {}).out,
            "name        fake\n"
            "version     1.2\n"
            "extensions  a b\n");
}

TEST(InfoCommandsTest, ServerMetadataIsJson) {
  const FakeServer server(Talkative());
  EXPECT_EQ(RunServerMetadata(*ClientOf(server), kJsonStyle).out,
            R"({"name":"fake","version":"1.2","extensions":["a","b"]})"
            "\n");
}

TEST(InfoCommandsTest, ModelMetadataIsATable) {
  const FakeServer server(Talkative());
  EXPECT_EQ(RunModelMetadata(*ClientOf(server), "digits", "", {}).out,
            "name      digits\n"
            "versions  1 2\n"
            "platform  onnx\n"
            "\n"
            "tensor  name   datatype  shape\n"
            "input   x      FP32      [-1,64]\n"
            "output  label  INT64     [-1]\n");
}

TEST(InfoCommandsTest, ModelMetadataIsJson) {
  const FakeServer server(Talkative());
  EXPECT_EQ(RunModelMetadata(*ClientOf(server), "digits", "2", kJsonStyle).out,
            R"({"name":"digits","versions":["2"],"platform":"onnx",)"
            R"("inputs":[{"name":"x","datatype":"FP32","shape":[-1,64]}],)"
            R"("outputs":[{"name":"label","datatype":"INT64","shape":[-1]}]})"
            "\n");
}

TEST(InfoCommandsTest, MetadataIsCsv) {
  const FakeServer server(Talkative());
  const OutputStyle csv{.form = OutputForm::kCsv};
  EXPECT_EQ(RunServerMetadata(*ClientOf(server), csv).out,
            "name,version,extensions\nfake,1.2,a b\n");
  EXPECT_EQ(RunModelMetadata(*ClientOf(server), "digits", "", csv).out,
            "tensor,name,datatype,shape\n"
            "input,x,FP32,\"[-1,64]\"\n"
            "output,label,INT64,[-1]\n");
}

TEST(InfoCommandsTest, HealthHasAllForms) {
  const FakeServer server;
  const auto client = ClientOf(server);
  EXPECT_EQ(RunHealth(*client, "", kJsonStyle).out,
            R"([{"service":"","status":"SERVING"}])"
            "\n");
  EXPECT_EQ(RunHealth(*client, "", {.form = OutputForm::kCsv}).out,
            "service,status\n,SERVING\n");
  EXPECT_EQ(RunHealth(*client, "", {.colours = true}).out,
            "\x1b[32mSERVING\x1b[0m\n");
}

TEST(InfoCommandsTest, RefusalIsCodeFour) {
  const FakeServer server(Refusing());
  const auto client = ClientOf(server);
  EXPECT_EQ(RunHealth(*client, "").code, ExitCode::kRefused);
  EXPECT_EQ(RunServerMetadata(*client, {}).code, ExitCode::kRefused);
  EXPECT_EQ(RunModelMetadata(*client, "m", "", {}).code, ExitCode::kRefused);
  EXPECT_EQ(RunServerMetadata(*client, {}).err,
            "reluctl: PERMISSION_DENIED: no\n");
}

TEST(InfoCommandsTest, MissingServerIsCodeThree) {
  const auto client =
      InferenceClient::Create("unix:/nonexistent/relud.sock").value();
  EXPECT_EQ(RunHealth(*client, "").code, ExitCode::kUnreachable);
}

}  // namespace
}  // namespace relu
