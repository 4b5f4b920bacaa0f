#include "core/repository/model_repository.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/gauge.h"

#include "core/batching/inference_request.h"
#include "core/metrics/metrics.h"
#include "core/repository/model.h"
#include "tests/core/repository/temp_repository.h"

namespace relu {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class ModelRepositoryTest : public ::testing::Test {
 protected:
  // Loads what the test has put into the folder.
  const ModelRepository& Load() {
    absl::StatusOr<std::unique_ptr<ModelRepository>> loaded =
        ModelRepository::Load({.folder = files_.folder()}, metrics_);
    EXPECT_TRUE(loaded.ok()) << loaded.status();
    repository_ = *std::move(loaded);
    return *repository_;
  }

  static void ExpectError(const absl::StatusOr<std::shared_ptr<Model>>& found,
                          absl::StatusCode code, const std::string& message) {
    EXPECT_EQ(found.status().code(), code);
    EXPECT_EQ(found.status().message(), message);
  }

  TempRepository files_;
  Metrics metrics_{"1"};
  std::unique_ptr<ModelRepository> repository_;
};

TEST_F(ModelRepositoryTest, LoadOfMissingFolderIsNotFound) {
  const absl::Status status =
      ModelRepository::Load({.folder = files_.folder() / "none"}, metrics_)
          .status();

  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
}

TEST_F(ModelRepositoryTest, LoadOfFileIsInvalid) {
  const absl::Status status =
      ModelRepository::Load({.folder = files_.Write("file", "")}, metrics_)
          .status();

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ModelRepositoryTest, EmptyRepositoryIsReady) {
  const ModelRepository& repository = Load();

  EXPECT_TRUE(repository.ready());
  EXPECT_TRUE(repository.Index().empty());
}

TEST_F(ModelRepositoryTest, BothLayoutsAreServed) {
  files_.Copy("iris_argmax", "iris/4/model.onnx");
  files_.Copy("wine", "wine.onnx");

  const ModelRepository& repository = Load();

  const std::vector<ModelState> index = repository.Index();
  ASSERT_EQ(index.size(), 2U);
  EXPECT_EQ(index[0].name, "iris");
  EXPECT_EQ(index[0].version, 4);
  EXPECT_TRUE(index[0].ready) << index[0].reason;
  EXPECT_EQ(index[0].reason, "");
  EXPECT_EQ(index[1].name, "wine");
  EXPECT_EQ(index[1].version, 1);
  EXPECT_TRUE(index[1].ready) << index[1].reason;
  EXPECT_TRUE(repository.ready());
}

TEST_F(ModelRepositoryTest, FindReturnsTheModelWithAndWithoutItsVersion) {
  files_.Copy("iris_argmax", "iris/4/model.onnx");
  const ModelRepository& repository = Load();

  const absl::StatusOr<std::shared_ptr<Model>> latest =
      repository.Find("iris", "");
  const absl::StatusOr<std::shared_ptr<Model>> same =
      repository.Find("iris", "4");

  ASSERT_TRUE(latest.ok()) << latest.status();
  ASSERT_TRUE(same.ok()) << same.status();
  EXPECT_EQ((*latest)->version(), 4);
  EXPECT_EQ(*latest, *same);
}

TEST_F(ModelRepositoryTest, OnlyTheHighestVersionIsLoaded) {
  files_.Copy("iris_argmax", "m/1/model.onnx");
  files_.Copy("wine", "m/12/model.onnx");
  const ModelRepository& repository = Load();

  EXPECT_EQ(repository.Find("m", "")->get()->version(), 12);
  ExpectError(repository.Find("m", "1"), absl::StatusCode::kNotFound,
              "Request for unknown model: 'm' version 1 is not found: version "
              "12 is served");
}

TEST_F(ModelRepositoryTest, FindOfUnknownModelIsNotFound) {
  ExpectError(Load().Find("X", ""), absl::StatusCode::kNotFound,
              "Request for unknown model: 'X' is not found");
}

TEST_F(ModelRepositoryTest, FindOfUnknownModelDoesNotRepeatLongNames) {
  const absl::Status status =
      Load().Find(std::string(100'000, 'x'), "").status();

  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_LT(status.message().size(), 400U);
}

TEST_F(ModelRepositoryTest, FindOfVersionThatIsNoPositiveIntegerIsInvalid) {
  files_.Copy("iris_argmax", "iris.onnx");
  const ModelRepository& repository = Load();

  for (const char* version : {"0", "-1", "one", "1x", " 1", "1 ", "+1", "1.0",
                              "9223372036854775808"}) {
    ExpectError(repository.Find("iris", version),
                absl::StatusCode::kInvalidArgument,
                std::string("model 'iris': version '") + version +
                    "' is not a positive integer below 2^63");
  }
}

TEST_F(ModelRepositoryTest, BadModelDoesNotStopTheGoodOne) {
  const std::filesystem::path bad =
      files_.Write("bad/3/model.onnx", "this is no model");
  files_.Copy("iris_argmax", "good.onnx");

  const ModelRepository& repository = Load();

  EXPECT_TRUE(repository.Find("good", "").ok());
  EXPECT_FALSE(repository.ready());
  const ModelState state = repository.Index()[0];
  EXPECT_EQ(state.name, "bad");
  EXPECT_EQ(state.version, 3);
  EXPECT_FALSE(state.ready);
  EXPECT_THAT(state.reason, HasSubstr(bad.string()));
}

TEST_F(ModelRepositoryTest, FindOfModelThatIsNotReadyIsUnavailable) {
  files_.Write("bad/3/model.onnx", "this is no model");
  const ModelRepository& repository = Load();
  const std::string message =
      "Request for unknown model: 'bad' is not ready: " +
      repository.Index()[0].reason;

  ExpectError(repository.Find("bad", ""), absl::StatusCode::kUnavailable,
              message);
  ExpectError(repository.Find("bad", "3"), absl::StatusCode::kUnavailable,
              message);
  EXPECT_EQ(repository.Find("bad", "2").status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(ModelRepositoryTest, ModelWithoutVersionIsKnownButNotReady) {
  files_.Write("m/config.pbtxt", "");
  const ModelRepository& repository = Load();

  const absl::Status status = repository.Find("m", "1").status();

  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("no version folder"));
}

TEST_F(ModelRepositoryTest, BadConfigKeepsTheModelFromLoading) {
  files_.Copy("iris_argmax", "m/1/model.onnx");
  files_.Write("m/config.pbtxt", "optimisation { }");
  const ModelRepository& repository = Load();

  EXPECT_FALSE(repository.ready());
  EXPECT_THAT(repository.Index()[0].reason, HasSubstr("config.pbtxt:1:"));
}

TEST_F(ModelRepositoryTest, ConfigReachesTheModel) {
  files_.Copy("iris_argmax", "m/1/net.onnx");
  files_.Write("m/config.pbtxt",
               "default_model_filename: \"net.onnx\" max_batch_size: 5 "
               "instance_group { count: 2 }");
  const ModelRepository& repository = Load();

  const absl::StatusOr<std::shared_ptr<Model>> model = repository.Find("m", "");

  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ((*model)->max_request_rows(), 5);
  EXPECT_EQ((*model)->slots(), 2);
}

TEST_F(ModelRepositoryTest, ModelOutsideOfTheRepositoryIsNotLoaded) {
  files_.Write("../outside/iris.onnx", "");
  std::filesystem::create_symlink(files_.outside() / "iris.onnx",
                                  files_.folder() / "iris.onnx");

  EXPECT_THAT(Load().Index()[0].reason,
              HasSubstr("outside of the model repository"));
}

TEST_F(ModelRepositoryTest, ReadyGaugesTellTheState) {
  files_.Write("bad/3/model.onnx", "this is no model");
  files_.Copy("iris_argmax", "good.onnx");

  Load();

  const std::string text = metrics_.Text();
  EXPECT_THAT(text, HasSubstr("relu_model_ready{model=\"good\",version=\"1\"} "
                              "1\n"));
  EXPECT_THAT(text, HasSubstr("relu_model_ready{model=\"bad\",version=\"3\"} "
                              "0\n"));
}

TEST_F(ModelRepositoryTest, DrainRefusesNewRequests) {
  files_.Copy("iris_argmax", "iris.onnx");
  files_.Write("bad/3/model.onnx", "this is no model");
  Load();

  repository_->Drain();

  absl::Status result;
  InferenceRequest request;
  request.rows = 1;
  request.done = [&result](const absl::Status& status) { result = status; };
  InferenceRequest* const requests[] = {&request};
  repository_->Find("iris", "")->get()->scheduler().Submit(requests);
  EXPECT_EQ(result.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(result.message()),
              StartsWith("server is shutting down"));
}

}  // namespace
}  // namespace relu
