#include "core/repository/model_repository.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/base/mutex.h"
#include "core/batching/inference_request.h"
#include "core/metrics/metrics.h"
#include "core/repository/model.h"
#include "tests/core/repository/offset_model.h"
#include "tests/core/repository/outcome.h"
#include "tests/core/repository/temp_repository.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
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
  EXPECT_TRUE(index[0].ready()) << index[0].reason;
  EXPECT_EQ(index[0].reason, "");
  EXPECT_EQ(index[1].name, "wine");
  EXPECT_EQ(index[1].version, 1);
  EXPECT_TRUE(index[1].ready()) << index[1].reason;
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
                    "' is neither a positive integer below 2^63 nor a label "
                    "of the model");
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
  EXPECT_FALSE(state.ready());
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

// --- Changes while it serves ---

class RunningRepositoryTest : public ::testing::Test {
 protected:
  using Clock = std::chrono::steady_clock;

  void Write(const std::string& path, float offset) {
    WriteOffsetModel(files_.folder() / path, offset);
  }

  void Start(RepositoryOptions options) {
    options.folder = files_.folder();
    auto loaded = ModelRepository::Load(options, metrics_);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    repository_ = *std::move(loaded);
    repository_->Start({.on_event = {}, .on_change = [this] {
                          {
                            const MutexLock lock(mu_);
                            ++changes_;
                          }
                          changed_.NotifyAll();
                        }});
  }

  // Waits, from change to change, until `condition` holds.
  template <typename Condition>
  void Until(Condition condition) {
    const MutexLock lock(mu_);
    while (!condition()) {
      changed_.Wait(mu_);
    }
  }

  float Offset(const std::string& version = "") {
    auto model = repository_->Find("m", version);
    return model.ok() ? OffsetOf(**model) : -1;
  }

  absl::Status Load(const std::string& name, ModelOverride change = {}) {
    Outcome outcome;
    repository_->LoadModel(name, std::move(change), outcome.done());
    return outcome.Wait();
  }
  absl::Status Unload(const std::string& name) {
    Outcome outcome;
    repository_->UnloadModel(name, outcome.done());
    return outcome.Wait();
  }

  TempRepository files_;
  Metrics metrics_{"1"};
  Mutex mu_;
  CondVar changed_;
  int changes_ ABSL_GUARDED_BY(mu_) = 0;
  std::unique_ptr<ModelRepository> repository_;
};

TEST_F(RunningRepositoryTest, PollFollowsTheFolder) {
  Write("m/1/model.onnx", 10);
  Start({.control = ControlMode::kPoll,
         .poll_interval = std::chrono::milliseconds(1)});
  EXPECT_EQ(Offset(), 10);

  Write("m/2/model.onnx", 20);
  Until([&] { return repository_->Find("m", "2").ok(); });
  EXPECT_EQ(Offset(), 20);

  std::filesystem::remove_all(files_.folder() / "m");
  Until([&] { return repository_->Index().empty(); });
}

TEST_F(RunningRepositoryTest, VersionsAndLabelsAreServed) {
  Write("m/1/model.onnx", 10);
  Write("m/2/model.onnx", 20);
  files_.Write("m/config.pbtxt",
               "version_policy { all { } } parameters { key: "
               "'version_label.stable' value { string_value: '1' } }");
  Start({});

  EXPECT_EQ(Offset(), 20);
  EXPECT_EQ(Offset("1"), 10);
  EXPECT_EQ(Offset("stable"), 10);
  EXPECT_THAT(repository_->ServedVersions("m"), ElementsAre(1, 2));
  EXPECT_THAT(repository_->ServedVersions("none"), IsEmpty());
}

TEST_F(RunningRepositoryTest, CommandsLoadAndUnload) {
  Write("m/1/model.onnx", 10);
  Start({.control = ControlMode::kExplicit});
  EXPECT_TRUE(repository_->ready());
  EXPECT_EQ(Offset(), -1);

  EXPECT_EQ(Load("m"), absl::OkStatus());
  EXPECT_EQ(Offset(), 10);

  EXPECT_EQ(Unload("m"), absl::OkStatus());
  EXPECT_EQ(repository_->Find("m", "").status().code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(RunningRepositoryTest, CommandsAreRefusedInOtherModesInTritonsWords) {
  Write("m/1/model.onnx", 10);
  for (const ControlMode mode : {ControlMode::kNone, ControlMode::kPoll}) {
    Start({.control = mode});
    for (const absl::Status& status : {Load("m"), Unload("m")}) {
      EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
      EXPECT_EQ(status.message(),
                "explicit model load / unload is not allowed if polling is "
                "enabled, nor without --model-control-mode=explicit");
    }
    EXPECT_EQ(Offset(), 10);
  }
}

TEST_F(RunningRepositoryTest, LoadWaitsUntilTheFilesHaveSettled) {
  Start({.control = ControlMode::kExplicit,
         .settle_time = std::chrono::milliseconds(20)});
  Write("m/1/model.onnx", 10);

  EXPECT_EQ(Load("m"), absl::OkStatus());

  EXPECT_EQ(Offset(), 10);
}

TEST_F(RunningRepositoryTest, UnloadEndsALoadThatWaitsForFiles) {
  Start({.control = ControlMode::kExplicit,
         .settle_time = std::chrono::hours(1)});
  Write("m/1/model.onnx", 10);
  Outcome load;
  repository_->LoadModel("m", {}, load.done());

  EXPECT_EQ(Unload("m"), absl::OkStatus());

  const absl::Status status = load.Wait();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("unloaded meanwhile"));
}

TEST_F(RunningRepositoryTest, StopEndsALoadThatWaitsForFilesAndTakesNoMore) {
  Start({.control = ControlMode::kExplicit,
         .settle_time = std::chrono::hours(1)});
  Write("m/1/model.onnx", 10);
  Outcome load;
  repository_->LoadModel("m", {}, load.done());

  repository_->StopLoading();

  EXPECT_EQ(load.Wait().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Load("m").code(), absl::StatusCode::kUnavailable);
}

TEST_F(RunningRepositoryTest, ModelThatWasFoundOutlivesItsUnload) {
  Write("m/1/model.onnx", 10);
  Start({.control = ControlMode::kExplicit, .load_at_start = {"m"}});
  std::shared_ptr<Model> model = *repository_->Find("m", "");

  ASSERT_EQ(Unload("m"), absl::OkStatus());

  EXPECT_EQ(OffsetOf(*model), 10);
  repository_ = nullptr;
  EXPECT_EQ(OffsetOf(*model), 10);
}

// With the thread sanitizer this is the proof of the swap: clients find and run
// models while these are replaced, and every answer is that of some version.
TEST_F(RunningRepositoryTest, NoRequestFailsWhileModelsAreReplaced) {
  constexpr int kReloads = 25;
  Write("m/1/model.onnx", 0);
  Start(
      {.slots = 2, .control = ControlMode::kExplicit, .load_at_start = {"m"}});
  std::atomic<bool> stop = false;
  std::atomic<int> bad = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back([&] {
      float newest = 0;
      while (!stop) {
        const auto model = repository_->Find("m", "");
        const float offset = model.ok() ? OffsetOf(**model) : -1;
        // Whoever has seen a new version sees no older one.
        bad += offset < newest || offset > kReloads ? 1 : 0;
        newest = offset;
      }
    });
  }

  for (int i = 1; i <= kReloads; ++i) {
    // The same version again, and other versions.
    Write("m/" + std::to_string(1 + i / 2) + "/model.onnx",
          static_cast<float>(i));
    ASSERT_EQ(Load("m"), absl::OkStatus());
  }

  stop = true;
  for (std::thread& client : clients) {
    client.join();
  }
  EXPECT_EQ(bad, 0);
  EXPECT_EQ(Offset(), kReloads);
}

}  // namespace
}  // namespace relu
