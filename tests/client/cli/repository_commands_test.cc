#include "client/cli/repository_commands.h"

#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/cli/outcome.h"
#include "client/inference_client.h"
#include "tests/client/cli/cli_support.h"
#include "tests/client/fake_server.h"

namespace relu {
namespace {

using testing::HasSubstr;

std::unique_ptr<InferenceClient> RepositoryClient(const FakeServer& server) {
  return InferenceClient::Create(server.address()).value();
}

FakeAnswers OneBroken() {
  FakeAnswers answers;
  auto& model = *answers.index.add_models();
  model.set_name("digits");
  model.set_version("1");
  model.set_state("UNAVAILABLE");
  model.set_reason("cut off\nat byte 7");
  return answers;
}

TEST(RepositoryCommandsTest, ModelsHaveAllForms) {
  const FakeServer server(OneBroken());
  const auto client = RepositoryClient(server);
  EXPECT_EQ(RunModels(*client, {}).out,
            "name    version  state        reason\n"
            "digits  1        UNAVAILABLE  cut off\\nat byte 7\n");
  EXPECT_EQ(RunModels(*client, {.form = OutputForm::kJson}).out,
            R"([{"name":"digits","version":"1","state":"UNAVAILABLE",)"
            R"("reason":"cut off\nat byte 7"}])"
            "\n");
  EXPECT_EQ(RunModels(*client, {.form = OutputForm::kCsv}).out,
            "name,version,state,reason\n"
            "digits,1,UNAVAILABLE,\"cut off\nat byte 7\"\n");
  EXPECT_THAT(RunModels(*client, {.colours = true}).out,
              HasSubstr("\x1b[31mUNAVAILABLE\x1b[0m"));
}

TEST(RepositoryCommandsTest, LoadSendsItsFiles) {
  const FakeServer server;
  const TemporaryFolder folder;
  const Outcome outcome = RunRepositoryLoad(
      *RepositoryClient(server),
      {.model = "m",
       .config_file = folder.Write("config.json", "{}"),
       .files = {"1/model.onnx=" + folder.Write("new.onnx", "bytes")}});
  EXPECT_EQ(outcome.out, "loaded m\n");
  ASSERT_EQ(server.loads().size(), 1U);
  const auto load = server.loads()[0];
  EXPECT_EQ(load.model_name(), "m");
  EXPECT_EQ(load.parameters().at("config").string_param(), "{}");
  EXPECT_EQ(load.parameters().at("file:1/model.onnx").bytes_param(), "bytes");
}

TEST(RepositoryCommandsTest, LoadRefusesFilesThatItCannotSend) {
  const FakeServer server;
  const auto client = RepositoryClient(server);
  for (const std::string file : {"1/model.onnx", "=x", "1/a=/nonexistent/b"}) {
    EXPECT_EQ(RunRepositoryLoad(
                  *client, {.model = "m", .config_file = {}, .files = {file}})
                  .code,
              ExitCode::kWrongInput)
        << file;
  }
  EXPECT_TRUE(server.loads().empty());
}

TEST(RepositoryCommandsTest, UnloadNamesTheModel) {
  const FakeServer server;
  EXPECT_EQ(RunRepositoryUnload(*RepositoryClient(server), "m").out,
            "unloaded m\n");
  EXPECT_EQ(server.unloads()[0].model_name(), "m");
}

TEST(RepositoryCommandsTest, ConfigIsTextOrJson) {
  FakeAnswers answers;
  answers.model_config.mutable_config()->set_max_batch_size(8);
  const FakeServer server(std::move(answers));
  const auto client = RepositoryClient(server);
  EXPECT_THAT(RunModelConfig(*client, "m", "", {}).out,
              HasSubstr("max_batch_size: 8\n"));
  EXPECT_THAT(RunModelConfig(*client, "m", "", {.form = OutputForm::kJson}).out,
              HasSubstr("\"max_batch_size\":8"));
}

TEST(RepositoryCommandsTest, RefusalIsCodeFour) {
  const FakeServer server(
      {.status = {grpc::StatusCode::PERMISSION_DENIED, "no"}});
  const auto client = RepositoryClient(server);
  EXPECT_EQ(RunModels(*client, {}).code, ExitCode::kRefused);
  EXPECT_EQ(RunModels(*client, {}).err, "reluctl: PERMISSION_DENIED: no\n");
  EXPECT_EQ(RunRepositoryLoad(*client, {.model = "m"}).code,
            ExitCode::kRefused);
  EXPECT_EQ(RunRepositoryUnload(*client, "m").code, ExitCode::kRefused);
  EXPECT_EQ(RunModelConfig(*client, "m", "", {}).code, ExitCode::kRefused);
}

}  // namespace
}  // namespace relu
