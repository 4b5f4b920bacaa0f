#include "server/inference_handlers.h"

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/base/file.h"
#include "proto/inference.pb.h"
#include "tests/core/repository/outcome.h"
#include "tests/server/loaded_repository.h"

namespace relu {
namespace {

using testing::ElementsAre;

using LoadRequest = inference::RepositoryModelLoadRequest;
using UnloadRequest = inference::RepositoryModelUnloadRequest;

// A request in the form of Triton's clients, or of KServe's: these have the
// name of the model in the first field.
template <typename Request>
Request Named(const std::string& first, const std::string& model) {
  Request request;
  request.set_repository_name(first);
  request.set_model_name(model);
  return request;
}

// Each waits for the response.
absl::StatusOr<inference::RepositoryModelLoadResponse> Load(
    InferenceHandlers& handlers, const LoadRequest& request) {
  Deferred<inference::RepositoryModelLoadResponse> deferred;
  handlers.RepositoryModelLoad(request, deferred.done());
  return deferred.Wait();
}
absl::StatusOr<inference::RepositoryModelUnloadResponse> Unload(
    InferenceHandlers& handlers, const UnloadRequest& request) {
  Deferred<inference::RepositoryModelUnloadResponse> deferred;
  handlers.RepositoryModelUnload(request, deferred.done());
  return deferred.Wait();
}

class InferenceHandlersTest : public testing::Test {
 protected:
  bool ServerReady(const InferenceHandlers& handlers) {
    inference::ServerReadyResponse response;
    EXPECT_TRUE(handlers.ServerReady({}, response).ok());
    EXPECT_EQ(response.ready(), handlers.ready());
    return response.ready();
  }

  LoadedRepository loaded_{{.models = {"digits_mlp", "iris_argmax"},
                            .fixed_cast_model = true,
                            .broken_model = true}};
  InferenceHandlers handlers_{loaded_.repository(), /*strict_readiness=*/true};
};

TEST_F(InferenceHandlersTest, ServerIsAlive) {
  inference::ServerLiveResponse response;
  ASSERT_TRUE(handlers_.ServerLive({}, response).ok());
  EXPECT_TRUE(response.live());
}

TEST_F(InferenceHandlersTest, StrictServerIsReadyOnlyIfEveryModelIs) {
  EXPECT_FALSE(ServerReady(handlers_));
  LoadedRepository good;
  EXPECT_TRUE(ServerReady(
      InferenceHandlers(good.repository(), /*strict_readiness=*/true)));
}

TEST_F(InferenceHandlersTest, OtherServerIsReadyWhateverTheModelsAre) {
  EXPECT_TRUE(ServerReady(
      InferenceHandlers(loaded_.repository(), /*strict_readiness=*/false)));
}

TEST_F(InferenceHandlersTest, ServerThatShutsDownIsAliveButNotReady) {
  InferenceHandlers handlers(loaded_.repository(), /*strict_readiness=*/false);
  handlers.BeginShutdown();
  EXPECT_FALSE(ServerReady(handlers));
  inference::ModelReadyRequest model;
  model.set_name("digits_mlp");
  inference::ModelReadyResponse model_ready;
  ASSERT_TRUE(handlers.ModelReady(model, model_ready).ok());
  EXPECT_FALSE(model_ready.ready());
  inference::ServerLiveResponse response;
  ASSERT_TRUE(handlers.ServerLive({}, response).ok());
  EXPECT_TRUE(response.live());
}

TEST_F(InferenceHandlersTest, ModelReadyAnswersForEveryName) {
  const auto ready = [&](const std::string& name, const std::string& version) {
    inference::ModelReadyRequest request;
    request.set_name(name);
    request.set_version(version);
    inference::ModelReadyResponse response;
    EXPECT_TRUE(handlers_.ModelReady(request, response).ok());
    return response.ready();
  };
  EXPECT_TRUE(ready("digits_mlp", ""));
  EXPECT_TRUE(ready("digits_mlp", "1"));
  EXPECT_FALSE(ready("digits_mlp", "2"));
  EXPECT_FALSE(ready("broken", ""));
  EXPECT_FALSE(ready("nope", ""));
}

TEST_F(InferenceHandlersTest, ModelReadyReturnsInvalidArgumentForNoVersion) {
  inference::ModelReadyRequest request;
  request.set_name("digits_mlp");
  request.set_version("one");
  inference::ModelReadyResponse response;
  EXPECT_EQ(handlers_.ModelReady(request, response).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(InferenceHandlersTest, ServerMetadataNamesTheProgram) {
  inference::ServerMetadataResponse response;
  ASSERT_TRUE(handlers_.ServerMetadata({}, response).ok());
  EXPECT_EQ(response.name(), "relud");
  EXPECT_THAT(response.version(),
              testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
  EXPECT_THAT(
      response.extensions(),
      ElementsAre("model_repository", "model_repository(unload_dependents)",
                  "model_configuration", "binary_tensor_data", "classification",
                  "statistics", "logging"));
}

TEST_F(InferenceHandlersTest, ServerMetadataTellsOfSharedMemoryIfItIsOn) {
  const InferenceHandlers handlers(loaded_.repository(),
                                   /*strict_readiness=*/true,
                                   /*shared_memory=*/true);
  inference::ServerMetadataResponse response;
  ASSERT_TRUE(handlers.ServerMetadata({}, response).ok());
  EXPECT_THAT(response.extensions(), testing::Contains("system_shared_memory"));
}

TEST_F(InferenceHandlersTest, ModelMetadataDescribesTheTensors) {
  inference::ModelMetadataRequest request;
  request.set_name("iris_argmax");
  inference::ModelMetadataResponse response;
  ASSERT_TRUE(handlers_.ModelMetadata(request, response).ok());
  EXPECT_EQ(response.name(), "iris_argmax");
  EXPECT_THAT(response.versions(), ElementsAre("1"));
  EXPECT_EQ(response.platform(), "relu_onnx");
  ASSERT_EQ(response.inputs_size(), 1);
  EXPECT_EQ(response.inputs(0).name(), "input");
  EXPECT_EQ(response.inputs(0).datatype(), "FP32");
  EXPECT_THAT(response.inputs(0).shape(), ElementsAre(-1, 4));
  ASSERT_EQ(response.outputs_size(), 2);
  EXPECT_EQ(response.outputs(1).name(), "label");
  EXPECT_EQ(response.outputs(1).datatype(), "INT64");
  EXPECT_THAT(response.outputs(1).shape(), ElementsAre(-1));
}

TEST_F(InferenceHandlersTest, ModelMetadataTellsFixedRows) {
  inference::ModelMetadataRequest request;
  request.set_name("fixed_casts");
  inference::ModelMetadataResponse response;
  ASSERT_TRUE(handlers_.ModelMetadata(request, response).ok());
  EXPECT_THAT(response.inputs(0).shape(), ElementsAre(3, 2));
}

TEST_F(InferenceHandlersTest, ModelMetadataReturnsTheErrorsOfFind) {
  const auto code = [&](const std::string& name, const std::string& version) {
    inference::ModelMetadataRequest request;
    request.set_name(name);
    request.set_version(version);
    inference::ModelMetadataResponse response;
    return handlers_.ModelMetadata(request, response).code();
  };
  EXPECT_EQ(code("nope", ""), absl::StatusCode::kNotFound);
  EXPECT_EQ(code("digits_mlp", "2"), absl::StatusCode::kNotFound);
  EXPECT_EQ(code("digits_mlp", "-1"), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code("broken", ""), absl::StatusCode::kUnavailable);
}

TEST_F(InferenceHandlersTest, ModelStatisticsListsEveryModelThatIsServed) {
  inference::ModelStatisticsResponse response;
  ASSERT_TRUE(handlers_.ModelStatistics({}, response).ok());
  ASSERT_EQ(response.model_stats_size(), 3);
  EXPECT_EQ(response.model_stats(0).name(), "digits_mlp");
  EXPECT_EQ(response.model_stats(1).name(), "fixed_casts");
  EXPECT_EQ(response.model_stats(2).name(), "iris_argmax");
}

TEST_F(InferenceHandlersTest, ModelStatisticsListsTheModelThatIsNamed) {
  inference::ModelStatisticsRequest request;
  request.set_name("iris_argmax");
  for (const char* version : {"", "1"}) {
    request.set_version(version);
    inference::ModelStatisticsResponse response;
    ASSERT_TRUE(handlers_.ModelStatistics(request, response).ok());
    ASSERT_EQ(response.model_stats_size(), 1);
    EXPECT_EQ(response.model_stats(0).name(), "iris_argmax");
    EXPECT_EQ(response.model_stats(0).version(), "1");
  }
}

TEST_F(InferenceHandlersTest, ModelStatisticsReturnsTheErrorsOfFind) {
  const auto code = [&](const std::string& name, const std::string& version) {
    inference::ModelStatisticsRequest request;
    request.set_name(name);
    request.set_version(version);
    inference::ModelStatisticsResponse response;
    return handlers_.ModelStatistics(request, response).code();
  };
  EXPECT_EQ(code("nope", ""), absl::StatusCode::kNotFound);
  EXPECT_EQ(code("digits_mlp", "2"), absl::StatusCode::kNotFound);
  EXPECT_EQ(code("digits_mlp", "-1"), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code("broken", ""), absl::StatusCode::kUnavailable);
}

TEST_F(InferenceHandlersTest, RepositoryIndexListsEveryModel) {
  inference::RepositoryIndexResponse response;
  ASSERT_TRUE(handlers_.RepositoryIndex({}, response).ok());
  ASSERT_EQ(response.models_size(), 4);
  EXPECT_EQ(response.models(0).name(), "broken");
  EXPECT_EQ(response.models(0).version(), "1");
  EXPECT_EQ(response.models(0).state(), "UNAVAILABLE");
  EXPECT_NE(response.models(0).reason(), "");
  EXPECT_EQ(response.models(1).name(), "digits_mlp");
  EXPECT_EQ(response.models(1).version(), "1");
  EXPECT_EQ(response.models(1).state(), "READY");
  EXPECT_EQ(response.models(1).reason(), "");
}

TEST_F(InferenceHandlersTest, RepositoryIndexListsOnlyTheReadyIfAsked) {
  inference::RepositoryIndexRequest request;
  request.set_ready(true);
  inference::RepositoryIndexResponse response;
  ASSERT_TRUE(handlers_.RepositoryIndex(request, response).ok());
  EXPECT_EQ(response.models_size(), 3);
}

TEST_F(InferenceHandlersTest, RepositoryIndexOfANameReturnsUnimplemented) {
  inference::RepositoryIndexRequest request;
  request.set_repository_name("other");
  inference::RepositoryIndexResponse response;
  EXPECT_EQ(handlers_.RepositoryIndex(request, response).code(),
            absl::StatusCode::kUnimplemented);
}

TEST_F(InferenceHandlersTest, RepositoryIndexNamesVersionsThatWereUnloaded) {
  LoadedRepository loaded({.control = ControlMode::kExplicit});
  InferenceHandlers handlers(loaded.repository(), /*strict_readiness=*/true);
  ASSERT_EQ(Unload(handlers, Named<UnloadRequest>("", "digits_mlp")).status(),
            absl::OkStatus());
  inference::RepositoryIndexResponse response;
  ASSERT_TRUE(handlers.RepositoryIndex({}, response).ok());
  ASSERT_EQ(response.models_size(), 1);
  EXPECT_EQ(response.models(0).name(), "digits_mlp");
  EXPECT_EQ(response.models(0).version(), "1");
  EXPECT_EQ(response.models(0).state(), "UNAVAILABLE");
  EXPECT_EQ(response.models(0).reason(), "unloaded");
}

TEST_F(InferenceHandlersTest, ModelConfigIsTheEffectiveOne) {
  inference::ModelConfigRequest request;
  request.set_name("iris_argmax");
  inference::ModelConfigResponse response;
  ASSERT_TRUE(handlers_.ModelConfig(request, response).ok());
  EXPECT_EQ(response.config().name(), "iris_argmax");
  EXPECT_EQ(response.config().max_batch_size(), 64);
  EXPECT_THAT(response.config().input(0).dims(), ElementsAre(4));
  EXPECT_EQ(response.config().instance_group(0).count(), 2);
}

TEST_F(InferenceHandlersTest, ModelConfigReturnsTheErrorsOfFind) {
  inference::ModelConfigRequest request;
  request.set_name("nope");
  inference::ModelConfigResponse response;
  EXPECT_EQ(handlers_.ModelConfig(request, response).code(),
            absl::StatusCode::kNotFound);
}

// --- Load and unload ---

class ControlHandlersTest : public testing::Test {
 protected:
  LoadedRepository loaded_{{.control = ControlMode::kExplicit}};
  InferenceHandlers handlers_{loaded_.repository(), /*strict_readiness=*/true};
};

TEST_F(ControlHandlersTest, TritonsFormGetsAnEmptyResponse) {
  const auto unloaded =
      Unload(handlers_, Named<UnloadRequest>("", "digits_mlp"));
  ASSERT_TRUE(unloaded.ok()) << unloaded.status();
  EXPECT_EQ(unloaded->ByteSizeLong(), 0U);
  EXPECT_FALSE(loaded_.repository().Find("digits_mlp", "").ok());

  const auto loaded = Load(handlers_, Named<LoadRequest>("", "digits_mlp"));
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->ByteSizeLong(), 0U);
  EXPECT_TRUE(loaded_.repository().Find("digits_mlp", "").ok());
}

TEST_F(ControlHandlersTest, KServesFormGetsNameAndSuccess) {
  const auto unloaded =
      Unload(handlers_, Named<UnloadRequest>("digits_mlp", ""));
  ASSERT_TRUE(unloaded.ok()) << unloaded.status();
  EXPECT_EQ(unloaded->model_name(), "digits_mlp");
  EXPECT_TRUE(unloaded->is_unloaded());
  EXPECT_FALSE(loaded_.repository().Find("digits_mlp", "").ok());

  const auto loaded = Load(handlers_, Named<LoadRequest>("digits_mlp", ""));
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->model_name(), "digits_mlp");
  EXPECT_TRUE(loaded->is_loaded());
}

TEST_F(ControlHandlersTest, RepositoryBesideAModelIsUnimplemented) {
  EXPECT_EQ(Load(handlers_, Named<LoadRequest>("r", "m")).status().code(),
            absl::StatusCode::kUnimplemented);
  EXPECT_EQ(Unload(handlers_, Named<UnloadRequest>("r", "m")).status().code(),
            absl::StatusCode::kUnimplemented);
}

TEST_F(ControlHandlersTest, UnknownModelIsAnErrorToLoadAndNoneToUnload) {
  EXPECT_EQ(Load(handlers_, Named<LoadRequest>("", "nope")).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_TRUE(Unload(handlers_, Named<UnloadRequest>("", "nope")).ok());
}

TEST_F(ControlHandlersTest, ConfigParameterReplacesTheFile) {
  LoadRequest request = Named<LoadRequest>("", "digits_mlp");
  (*request.mutable_parameters())["config"].set_string_param(
      R"({"max_batch_size": 3})");

  ASSERT_TRUE(Load(handlers_, request).ok());

  EXPECT_EQ(loaded_.model()->max_request_rows(), 3);
}

TEST_F(ControlHandlersTest, FileParametersBringAModel) {
  LoadRequest request = Named<LoadRequest>("", "new");
  (*request.mutable_parameters())["config"].set_string_param("{}");
  (*request.mutable_parameters())["file:5/model.onnx"].set_bytes_param(
      ReadFile("tests/testdata/models/iris_argmax/model.onnx", 1 << 20)
          .value());

  const auto loaded = Load(handlers_, request);

  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded_.model("new")->version(), 5);
}

TEST_F(ControlHandlersTest, WrongParametersAreInvalid) {
  const auto status = [&](const std::string& key, auto set) {
    LoadRequest request = Named<LoadRequest>("", "digits_mlp");
    set((*request.mutable_parameters())[key]);
    return Load(handlers_, request).status();
  };
  const auto text = [](inference::ModelRepositoryParameter& parameter) {
    parameter.set_string_param("x");
  };
  const auto bytes = [](inference::ModelRepositoryParameter& parameter) {
    parameter.set_bytes_param("x");
  };
  for (const absl::Status& found :
       {status("config", bytes), status("file:1/model.onnx", text),
        status("file:../model.onnx", bytes), status("turbo", text)}) {
    EXPECT_EQ(found.code(), absl::StatusCode::kInvalidArgument) << found;
  }
}

TEST_F(ControlHandlersTest, UnloadDependentsIsTaken) {
  UnloadRequest request = Named<UnloadRequest>("", "digits_mlp");
  (*request.mutable_parameters())["unload_dependents"].set_bool_param(true);
  EXPECT_TRUE(Unload(handlers_, request).ok());
  (*request.mutable_parameters())["unload_dependents"].set_string_param("yes");
  EXPECT_EQ(Unload(handlers_, request).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace relu
