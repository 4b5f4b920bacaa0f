#include "core/repository/model_loader.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/base/published.h"
#include "core/metrics/metrics.h"
#include "core/repository/loader_queue.h"
#include "tests/core/repository/offset_model.h"
#include "tests/core/repository/temp_repository.h"

namespace relu {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ModelLoaderTest : public ::testing::Test {
 protected:
  void Write(const std::string& path, float offset) {
    WriteOffsetModel(files_.folder() / path, offset);
  }

  // Starts a loader of this mode.
  void Start(ControlMode control, std::vector<std::string> load_at_start = {},
             milliseconds settle_time = milliseconds(0)) {
    loader_ = std::make_unique<ModelLoader>(
        RepositoryOptions{.folder = files_.folder(),
                          .control = control,
                          .load_at_start = std::move(load_at_start),
                          .settle_time = settle_time,
                          .max_override_bytes = 10'000},
        metrics_, catalog_, queue_);
    loader_->Listen(
        {.on_event =
             [this](const RepositoryEvent& event) { events_.push_back(event); },
         .on_change = {}});
    const absl::Status status = loader_->Start();
    EXPECT_TRUE(status.ok()) << status;
  }

  absl::Status Load(const std::string& name, const ModelOverride& change = {}) {
    milliseconds retry_after(0);
    const std::optional<absl::Status> status =
        loader_->Load(name, change, retry_after);
    EXPECT_TRUE(status.has_value());
    return status.value_or(absl::UnknownError("not settled"));
  }

  static ModelOverride Files(float offset, const std::string& config = "{}") {
    ModelOverride change;
    change.config_json = config;
    EXPECT_TRUE(change.AddFile("file:1/model.onnx", OffsetModel(offset)).ok());
    return change;
  }

  // "-" if the model is not served, else its offset.
  std::string Answer(const std::string& name, const std::string& version = "") {
    const std::shared_ptr<Model> model = catalog_.Get()->Find(name, version);
    return model == nullptr ? "-"
                            : std::to_string(OffsetOf(*model)).substr(0, 2);
  }
  ModelState State(const std::string& name) {
    return catalog_.Get()->entries().at(name)->states.at(0);
  }
  bool Known(const std::string& name) {
    return catalog_.Get()->entries().contains(name);
  }

  TempRepository files_;
  Metrics metrics_{"1"};
  Published<ModelCatalog> catalog_{std::make_shared<const ModelCatalog>()};
  std::shared_ptr<LoaderQueue> queue_ = std::make_shared<LoaderQueue>();
  std::unique_ptr<ModelLoader> loader_;
  std::vector<RepositoryEvent> events_;
};

// --- At the start ---

TEST_F(ModelLoaderTest, EverythingIsLoadedAtTheStart) {
  Write("a/1/model.onnx", 10);
  Write("b.onnx", 20);

  Start(ControlMode::kNone);

  EXPECT_EQ(Answer("a"), "10");
  EXPECT_EQ(Answer("b"), "20");
}

TEST_F(ModelLoaderTest, FolderThatIsNotThereIsNotFound) {
  ModelLoader loader({.folder = files_.folder() / "none"}, metrics_, catalog_,
                     queue_);

  EXPECT_EQ(loader.Start().code(), absl::StatusCode::kNotFound);
}

TEST_F(ModelLoaderTest, ExplicitModeLoadsWhatIsNamedAndKnowsTheRest) {
  Write("a/1/model.onnx", 10);
  Write("b/1/model.onnx", 20);

  Start(ControlMode::kExplicit, {"b"});

  EXPECT_EQ(Answer("a"), "-");
  EXPECT_EQ(State("a").state, VersionState::kNotLoaded);
  EXPECT_EQ(Answer("b"), "20");
  EXPECT_TRUE(catalog_.Get()->ready());
}

TEST_F(ModelLoaderTest, ExplicitModeLoadsAllForAStar) {
  Write("a/1/model.onnx", 10);
  Write("b/1/model.onnx", 20);

  Start(ControlMode::kExplicit, {"*"});

  EXPECT_EQ(Answer("a"), "10");
  EXPECT_EQ(Answer("b"), "20");
}

TEST_F(ModelLoaderTest, NamedModelThatIsNotThereIsUnavailable) {
  Start(ControlMode::kExplicit, {"none"});

  EXPECT_EQ(State("none").state, VersionState::kUnavailable);
  EXPECT_THAT(State("none").reason, HasSubstr("has neither none/"));
  EXPECT_FALSE(catalog_.Get()->ready());
}

TEST_F(ModelLoaderTest, StartWaitsUntilFilesHaveSettled) {
  Write("a/1/model.onnx", 10);

  Start(ControlMode::kNone, {}, milliseconds(30));

  EXPECT_EQ(Answer("a"), "10");
}

// --- Polling ---

TEST_F(ModelLoaderTest, PollFollowsTheFolder) {
  Write("a/1/model.onnx", 10);
  Start(ControlMode::kPoll);

  Write("a/2/model.onnx", 11);
  Write("b.onnx", 20);
  loader_->Poll();
  EXPECT_EQ(Answer("a"), "11");
  EXPECT_EQ(Answer("b"), "20");

  Write("b.onnx", 21);
  loader_->Poll();
  EXPECT_EQ(Answer("b"), "21");
}

TEST_F(ModelLoaderTest, PollFollowsTheLabels) {
  Write("a/1/model.onnx", 10);
  files_.Write("a/config.pbtxt",
               "output { name: 'y' label_filename: 'labels.txt' }");
  Start(ControlMode::kPoll);
  EXPECT_EQ(Answer("a"), "-");
  EXPECT_THAT(State("a").reason,
              AllOf(HasSubstr("model \"a\": "), HasSubstr("labels.txt")));

  files_.Write("a/labels.txt", "cat\ndog\n");
  loader_->Poll();
  ASSERT_EQ(Answer("a"), "10");
  EXPECT_EQ(catalog_.Get()->Find("a", "")->class_labels(0).labels[1], "dog");

  files_.Write("a/labels.txt", "cat\nhound\n");
  loader_->Poll();
  EXPECT_EQ(catalog_.Get()->Find("a", "")->class_labels(0).labels[1], "hound");

  files_.Write("a/labels.txt", "cat\n");
  loader_->Poll();
  EXPECT_EQ(Answer("a"), "10");
  EXPECT_THAT(State("a").reason, HasSubstr("1 labels, wanted 2"));
}

TEST_F(ModelLoaderTest, PollLoadsNothingWithoutAChange) {
  Write("a/1/model.onnx", 10);
  Start(ControlMode::kPoll);
  events_.clear();

  EXPECT_EQ(loader_->Poll(), milliseconds(15'000));

  EXPECT_TRUE(events_.empty());
}

TEST_F(ModelLoaderTest, FilesThatHaveNotSettledAreNotLoaded) {
  Start(ControlMode::kPoll, {}, std::chrono::hours(1));
  Write("a/1/model.onnx", 10);

  const milliseconds again = loader_->Poll();

  EXPECT_EQ(Answer("a"), "-");
  EXPECT_FALSE(Known("a"));
  EXPECT_LE(again, milliseconds(15'000));
}

TEST_F(ModelLoaderTest, NextLookComesWhenTheFilesMayHaveSettled) {
  Start(ControlMode::kPoll, {}, milliseconds(500));
  Write("a/1/model.onnx", 10);

  const milliseconds again = loader_->Poll();

  EXPECT_GT(again, milliseconds(0));
  EXPECT_LE(again, milliseconds(500));
}

TEST_F(ModelLoaderTest, ModelWhoseFolderIsGoneIsUnloaded) {
  Write("a/1/model.onnx", 10);
  Start(ControlMode::kPoll);
  std::filesystem::remove_all(files_.folder() / "a");

  loader_->Poll();

  EXPECT_FALSE(Known("a"));
  EXPECT_EQ(events_.back().kind, RepositoryEvent::Kind::kUnloaded);
}

TEST_F(ModelLoaderTest, FolderThatIsGoneForAMomentIsNot) {
  Write("a/1/model.onnx", 10);
  Start(ControlMode::kPoll, {}, std::chrono::milliseconds(50));
  std::filesystem::rename(files_.folder() / "a", files_.folder() / ".a");
  EXPECT_LE(loader_->Poll(), milliseconds(50));
  EXPECT_EQ(Answer("a"), "10");

  std::filesystem::rename(files_.folder() / ".a", files_.folder() / "a");
  loader_->Poll();

  EXPECT_EQ(Answer("a"), "10");
}

TEST_F(ModelLoaderTest, RepositoryThatCannotBeReadChangesNothing) {
  Write("a/1/model.onnx", 10);
  Start(ControlMode::kPoll);
  events_.clear();
  std::filesystem::create_directories(files_.outside());
  std::filesystem::rename(files_.folder(), files_.outside() / "kept");

  loader_->Poll();
  loader_->Poll();

  EXPECT_EQ(Answer("a"), "10");
  ASSERT_EQ(events_.size(), 1U);
  EXPECT_EQ(events_[0].kind, RepositoryEvent::Kind::kNoLook);
  EXPECT_THAT(events_[0].reason, HasSubstr("no such folder"));
}

TEST_F(ModelLoaderTest, PollOfExplicitModeLearnsNamesAndNothingElse) {
  Write("a/1/model.onnx", 10);
  Start(ControlMode::kExplicit, {"a"});
  Write("b/1/model.onnx", 20);
  Write("a/2/model.onnx", 11);

  loader_->Poll();

  EXPECT_EQ(State("b").state, VersionState::kNotLoaded);
  EXPECT_EQ(Answer("a"), "10");

  std::filesystem::remove_all(files_.folder() / "b");
  loader_->Poll();
  EXPECT_FALSE(Known("b"));
}

// --- Commands ---

TEST_F(ModelLoaderTest, ModelIsLoadedAndUnloaded) {
  Write("a/1/model.onnx", 10);
  Start(ControlMode::kExplicit);

  EXPECT_EQ(Load("a"), absl::OkStatus());
  EXPECT_EQ(Answer("a"), "10");

  loader_->Unload("a");
  EXPECT_EQ(Answer("a"), "-");
  EXPECT_EQ(State("a").state, VersionState::kUnloaded);
  EXPECT_EQ(events_.back().kind, RepositoryEvent::Kind::kUnloaded);
}

TEST_F(ModelLoaderTest, LoadTakesWhatIsNew) {
  Write("a/1/model.onnx", 10);
  Start(ControlMode::kExplicit, {"a"});
  Write("a/2/model.onnx", 11);

  EXPECT_EQ(Load("a"), absl::OkStatus());

  EXPECT_EQ(Answer("a"), "11");
}

TEST_F(ModelLoaderTest, LoadOfUnknownModelIsNotFoundInTritonsWords) {
  Start(ControlMode::kExplicit);

  const absl::Status status = Load("none");

  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()),
              StartsWith("failed to load 'none', failed to poll from model "
                         "repository"));
  EXPECT_FALSE(Known("none"));
}

TEST_F(ModelLoaderTest, LoadOfANameThatLeadsOutIsInvalid) {
  files_.Write("../outside/1/model.onnx", "");
  Start(ControlMode::kExplicit);

  for (const std::string name : {"../outside", "/etc", "", "a/b"}) {
    EXPECT_EQ(Load(name).code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(Load(name, Files(1)).code(), absl::StatusCode::kInvalidArgument)
        << name;
  }
}

TEST_F(ModelLoaderTest, FailedLoadSaysWhyAndLeavesTheOldOneServing) {
  Write("a/1/model.onnx", 10);
  Start(ControlMode::kExplicit, {"a"});
  files_.Write("a/2/model.onnx", "no model");

  const absl::Status status = Load("a");

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(StartsWith("load failed for model 'a': "),
                    HasSubstr("a/2/model.onnx")));
  EXPECT_EQ(Answer("a"), "10");
}

TEST_F(ModelLoaderTest, LoadOfFilesThatHaveNotSettledIsToBeAskedAgain) {
  Start(ControlMode::kExplicit, {}, milliseconds(500));
  Write("a/1/model.onnx", 10);
  milliseconds retry_after(0);

  EXPECT_EQ(loader_->Load("a", {}, retry_after), std::nullopt);

  EXPECT_GT(retry_after, milliseconds(0));
  EXPECT_LE(retry_after, milliseconds(500));
}

TEST_F(ModelLoaderTest, UnloadOfUnknownModelIsNoError) {
  Start(ControlMode::kExplicit);
  const std::size_t events = events_.size();

  loader_->Unload("none");

  EXPECT_FALSE(Known("none"));
  EXPECT_EQ(events_.size(), events);
}

// --- Overrides ---

TEST_F(ModelLoaderTest, ConfigOfTheRequestReplacesTheFile) {
  Write("a/1/model.onnx", 10);
  Write("a/2/model.onnx", 11);
  files_.Write("a/config.pbtxt", "this is none");
  Start(ControlMode::kExplicit);
  ModelOverride change;
  change.config_json = R"({"version_policy": {"specific": {"versions": [1]}}})";

  EXPECT_EQ(Load("a", change), absl::OkStatus());

  EXPECT_EQ(Answer("a"), "10");
}

TEST_F(ModelLoaderTest, NextLoadWithoutConfigGoesBackToTheFile) {
  Write("a/1/model.onnx", 10);
  Start(ControlMode::kExplicit);
  ModelOverride change;
  change.config_json = R"({"max_batch_size": 3})";
  ASSERT_EQ(Load("a", change), absl::OkStatus());
  EXPECT_EQ(catalog_.Get()->Find("a", "")->max_request_rows(), 3);

  ASSERT_EQ(Load("a"), absl::OkStatus());

  EXPECT_EQ(catalog_.Get()->Find("a", "")->max_request_rows(), 0);
}

TEST_F(ModelLoaderTest, BadConfigOfTheRequestIsRefused) {
  Write("a/1/model.onnx", 10);
  Start(ControlMode::kExplicit, {"a"});
  ModelOverride change;
  change.config_json = "{";

  EXPECT_EQ(Load("a", change).code(), absl::StatusCode::kInvalidArgument);

  EXPECT_EQ(Answer("a"), "10");
  EXPECT_EQ(State("a").reason, "");
}

TEST_F(ModelLoaderTest, FilesOfTheRequestReplaceTheFolder) {
  Write("a/7/model.onnx", 10);
  Start(ControlMode::kExplicit, {"a"});

  EXPECT_EQ(Load("a", Files(30)), absl::OkStatus());

  EXPECT_EQ(Answer("a"), "30");
  EXPECT_EQ(Answer("a", "7"), "-");

  EXPECT_EQ(Load("a"), absl::OkStatus());
  EXPECT_EQ(Answer("a"), "10");
}

TEST_F(ModelLoaderTest, FilesOfTheRequestNeedNoFolder) {
  Start(ControlMode::kExplicit);

  EXPECT_EQ(Load("new", Files(30, R"({"max_batch_size": 4})")),
            absl::OkStatus());
  EXPECT_EQ(Answer("new"), "30");
  loader_->Poll();
  EXPECT_EQ(Answer("new"), "30");

  loader_->Unload("new");
  EXPECT_FALSE(Known("new"));
}

TEST_F(ModelLoaderTest, BadFilesOfTheRequestLeaveNothingBehind) {
  Start(ControlMode::kExplicit);
  ModelOverride change;
  change.config_json = "{}";
  ASSERT_TRUE(change.AddFile("file:1/model.onnx", "no model").ok());

  EXPECT_EQ(Load("new", change).code(), absl::StatusCode::kInvalidArgument);

  EXPECT_FALSE(Known("new"));
}

TEST_F(ModelLoaderTest, FilesWithoutConfigAreRefused) {
  Start(ControlMode::kExplicit);
  ModelOverride change = Files(30);
  change.config_json.reset();

  const absl::Status status = Load("new", change);

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("parameter 'config'"));
}

TEST_F(ModelLoaderTest, FilesBeyondTheLimitAreRefused) {
  Start(ControlMode::kExplicit);
  ModelOverride change = Files(30);
  ASSERT_TRUE(change.AddFile("file:1/data", std::string(10'000, 'x')).ok());

  EXPECT_EQ(Load("new", change).code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(ModelLoaderTest, FreedModelsMakeRoom) {
  Write("a/1/model.onnx", 10);
  Start(ControlMode::kExplicit, {"a"});
  loader_->Unload("a");

  std::vector<std::unique_ptr<Model>> retired = queue_->TakeRetired();

  ASSERT_EQ(retired.size(), 1U);
  loader_->Free(std::move(retired));
}

}  // namespace
}  // namespace relu
