#include "core/repository/served_models.h"

#include <memory>
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

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class ServedModelsTest : public ::testing::Test {
 protected:
  ServedModelsTest() {
    models_.Listen(
        {.on_event =
             [this](const RepositoryEvent& event) { events_.push_back(event); },
         .on_change = [this] { ++changes_; }});
  }

  void Write(const std::string& path, float offset) {
    WriteOffsetModel(files_.folder() / path, offset);
  }

  absl::Status Update(const std::string& name) {
    const absl::StatusOr<ModelSource> source = ScanModel(files_.folder(), name);
    EXPECT_TRUE(source.ok()) << source.status();
    return models_.Update(*source, ModelVersions::Retry::kNow);
  }

  std::shared_ptr<Model> Found(const std::string& name) const {
    return catalog_.With(
        [&](const ModelCatalog& catalog) { return catalog.Find(name, ""); });
  }

  TempRepository files_;
  Metrics metrics_{"1"};
  Published<ModelCatalog> catalog_{std::make_shared<const ModelCatalog>()};
  VersionLoader loader_{
      {.folder = files_.folder()}, metrics_, std::make_shared<LoaderQueue>()};
  ServedModels models_{loader_, metrics_, catalog_};
  std::vector<RepositoryEvent> events_;
  int changes_ = 0;
};

TEST_F(ServedModelsTest, NothingIsPublishedBeforeTheFirstTime) {
  Write("m/1/model.onnx", 10);
  ASSERT_EQ(Update("m"), absl::OkStatus());
  EXPECT_EQ(Found("m"), nullptr);
  EXPECT_EQ(changes_, 0);

  models_.Publish();

  EXPECT_NE(Found("m"), nullptr);
  EXPECT_EQ(changes_, 1);
}

TEST_F(ServedModelsTest, ChangesArePublishedAndTold) {
  models_.Publish();
  Write("m/1/model.onnx", 10);

  ASSERT_EQ(Update("m"), absl::OkStatus());

  EXPECT_EQ(OffsetOf(*Found("m")), 10);
  EXPECT_GT(changes_, 1);
  ASSERT_EQ(events_.size(), 1U);
  EXPECT_EQ(events_[0].kind, RepositoryEvent::Kind::kLoaded);
  EXPECT_EQ(events_[0].model, "m");
  EXPECT_EQ(events_[0].version, 1);
  EXPECT_GT(events_[0].took.count(), 0);
}

TEST_F(ServedModelsTest, FailuresAreTold) {
  files_.Write("m/1/model.onnx", "no model");

  EXPECT_FALSE(Update("m").ok());

  ASSERT_EQ(events_.size(), 1U);
  EXPECT_EQ(events_[0].kind, RepositoryEvent::Kind::kNotLoaded);
  EXPECT_THAT(events_[0].reason, HasSubstr("m/1/model.onnx"));
}

TEST_F(ServedModelsTest, BadConfigIsToldAndCounted) {
  Write("m/1/model.onnx", 10);
  files_.Write("m/config.pbtxt", "this is none");

  EXPECT_FALSE(Update("m").ok());

  ASSERT_EQ(events_.size(), 1U);
  EXPECT_EQ(events_[0].kind, RepositoryEvent::Kind::kNotLoaded);
  EXPECT_THAT(metrics_.Text(),
              HasSubstr("relu_model_load_failures_total{model=\"m\"} 1"));
}

TEST_F(ServedModelsTest, MetricsFollowWhatIsServed) {
  Write("m/1/model.onnx", 10);
  ASSERT_EQ(Update("m"), absl::OkStatus());
  files_.Write("m/2/model.onnx", "no model");
  ASSERT_FALSE(Update("m").ok());

  std::string text = metrics_.Text();
  EXPECT_THAT(text, HasSubstr("relu_model_ready{model=\"m\",version=\"1\"} 1"));
  EXPECT_THAT(text, HasSubstr("relu_model_ready{model=\"m\",version=\"2\"} 0"));
  EXPECT_THAT(text,
              HasSubstr("relu_model_memory_bytes{model=\"m\",version=\"1\"} " +
                        std::to_string(models_.Find("m")->served[0]->bytes())));

  models_.Unload("m");

  text = metrics_.Text();
  EXPECT_THAT(text, Not(HasSubstr("relu_model_ready{model=\"m\"")));
  EXPECT_THAT(text, Not(HasSubstr("relu_model_memory_bytes{model=\"m\"")));
}

TEST_F(ServedModelsTest, UnloadedModelIsKnownButNotServed) {
  models_.Publish();
  Write("m/1/model.onnx", 10);
  ASSERT_EQ(Update("m"), absl::OkStatus());

  models_.Unload("m");

  EXPECT_EQ(Found("m"), nullptr);
  ASSERT_NE(models_.Find("m"), nullptr);
  EXPECT_EQ(models_.Find("m")->states[0].state, VersionState::kUnloaded);
}

TEST_F(ServedModelsTest, ForgottenModelIsUnknown) {
  models_.Publish();
  Write("m/1/model.onnx", 10);
  Write("n/1/model.onnx", 10);
  ASSERT_EQ(Update("m"), absl::OkStatus());
  ASSERT_EQ(Update("n"), absl::OkStatus());
  EXPECT_THAT(models_.names(), ElementsAre("m", "n"));

  models_.Forget("m");

  EXPECT_EQ(models_.Find("m"), nullptr);
  EXPECT_EQ(Found("m"), nullptr);
  EXPECT_THAT(models_.names(), ElementsAre("n"));
  EXPECT_NE(Found("n"), nullptr);
}

}  // namespace
}  // namespace relu
