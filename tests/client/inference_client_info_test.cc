// What an InferenceClient asks of a server beside inference.

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "grpcpp/support/status.h"
#include "gtest/gtest.h"

#include "client/inference_client.h"
#include "tests/client/client_testing.h"
#include "tests/client/fake_server.h"

namespace relu {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(InferenceClientTest, LiveAndReadyAreWhatTheServerSays) {
  const FakeServer yes;
  EXPECT_EQ(ClientOf(yes)->ServerLive().value(), true);
  EXPECT_EQ(ClientOf(yes)->ServerReady().value(), true);
  const FakeServer no({.live = false, .ready = false});
  EXPECT_EQ(ClientOf(no)->ServerLive().value(), false);
  EXPECT_EQ(ClientOf(no)->ServerReady().value(), false);
}

TEST(InferenceClientTest, ModelReadyAsksForTheModelAndVersion) {
  const FakeServer server;
  const auto client = ClientOf(server);
  EXPECT_EQ(client->ModelReady("good", "1").value(), true);
  EXPECT_EQ(client->ModelReady("good", "2").value(), false);
  EXPECT_EQ(client->ModelReady("bad", "1").value(), false);
}

TEST(InferenceClientTest, ServerMetadataIsPassedOn) {
  FakeAnswers answers;
  answers.server_metadata.set_name("fake");
  answers.server_metadata.set_version("1.2");
  answers.server_metadata.add_extensions("statistics");
  const FakeServer server(std::move(answers));
  const auto metadata = ClientOf(server)->ServerMetadata().value();
  EXPECT_EQ(metadata.name, "fake");
  EXPECT_EQ(metadata.version, "1.2");
  EXPECT_THAT(metadata.extensions, ElementsAre("statistics"));
}

TEST(InferenceClientTest, ModelMetadataIsPassedOn) {
  FakeAnswers answers;
  answers.model_metadata.set_platform("onnx");
  answers.AddInput("x", "FP32", {-1, 4});
  answers.model_metadata.add_outputs()->set_name("y");
  const FakeServer server(std::move(answers));
  const auto metadata = ClientOf(server)->ModelMetadata("iris", "2").value();
  EXPECT_EQ(metadata.name, "iris");
  EXPECT_THAT(metadata.versions, ElementsAre("2"));
  EXPECT_EQ(metadata.platform, "onnx");
  ASSERT_EQ(metadata.inputs.size(), 1U);
  EXPECT_EQ(metadata.inputs[0].name, "x");
  EXPECT_EQ(metadata.inputs[0].datatype, "FP32");
  EXPECT_THAT(metadata.inputs[0].shape, ElementsAre(-1, 4));
  ASSERT_EQ(metadata.outputs.size(), 1U);
  EXPECT_EQ(metadata.outputs[0].name, "y");
}

TEST(InferenceClientTest, RepositoryIndexIsPassedOn) {
  FakeAnswers answers;
  auto& model = *answers.index.add_models();
  model.set_name("iris");
  model.set_version("1");
  model.set_state("UNAVAILABLE");
  model.set_reason("broken");
  const FakeServer server(std::move(answers));
  const auto index = ClientOf(server)->RepositoryIndex().value();
  ASSERT_EQ(index.size(), 1U);
  EXPECT_EQ(index[0].name, "iris");
  EXPECT_EQ(index[0].version, "1");
  EXPECT_EQ(index[0].state, "UNAVAILABLE");
  EXPECT_EQ(index[0].reason, "broken");
}

TEST(InferenceClientTest, ErrorsOfTheOtherCallsArePassedOn) {
  const FakeServer server(
      {.status = {grpc::StatusCode::PERMISSION_DENIED, "no"}});
  const auto client = ClientOf(server);
  const std::vector<absl::Status> statuses = {
      client->ServerLive().status(),       client->ServerReady().status(),
      client->ModelReady("m").status(),    client->ServerMetadata().status(),
      client->ModelMetadata("m").status(), client->RepositoryIndex().status()};
  for (const absl::Status& status : statuses) {
    EXPECT_EQ(status, absl::PermissionDeniedError("no"));
  }
}

TEST(InferenceClientTest, HealthIsTrueOnlyWhileServing) {
  FakeServer server;
  server.SetServing("up", true);
  server.SetServing("down", false);
  const auto client = ClientOf(server);
  EXPECT_EQ(client->Health().value(), true);
  EXPECT_EQ(client->Health("up").value(), true);
  EXPECT_EQ(client->Health("down").value(), false);
}

TEST(InferenceClientTest, HealthOfAnUnknownServiceIsNotFound) {
  const FakeServer server;
  EXPECT_EQ(ClientOf(server)->Health("other").status().code(),
            absl::StatusCode::kNotFound);
}

TEST(InferenceClientTest, HealthIsUnimplementedWhenTheServerHasNone) {
  const FakeServer server({.health = false});
  EXPECT_EQ(ClientOf(server)->Health().status().code(),
            absl::StatusCode::kUnimplemented);
}
TEST(InferenceClientTest, ModelConfigAndStatisticsArePassedOn) {
  FakeAnswers answers;
  answers.model_config.mutable_config()->set_max_batch_size(8);
  answers.statistics.add_model_stats()->set_name("a");
  answers.statistics.add_model_stats()->set_name("b");
  const FakeServer server(std::move(answers));
  const auto client = ClientOf(server);
  EXPECT_THAT(client->ModelConfig("m").value().text,
              HasSubstr("max_batch_size: 8"));
  EXPECT_EQ(client->ModelStatistics().value().size(), 2U);
  EXPECT_EQ(client->ModelStatistics("b").value()[0].name, "b");
}

TEST(InferenceClientTest, ModelsAreLoadedAndUnloaded) {
  const FakeServer server;
  const auto client = ClientOf(server);
  EXPECT_TRUE(client->LoadModel("m", {.config_json = "{}"}).ok());
  EXPECT_TRUE(client->UnloadModel("n").ok());
  ASSERT_EQ(server.loads().size(), 1U);
  EXPECT_EQ(server.loads()[0].model_name(), "m");
  EXPECT_EQ(server.loads()[0].parameters().at("config").string_param(), "{}");
  ASSERT_EQ(server.unloads().size(), 1U);
  EXPECT_EQ(server.unloads()[0].model_name(), "n");
}

}  // namespace
}  // namespace relu
