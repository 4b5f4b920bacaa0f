#include "core/repository/model_versions.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/metrics/metrics.h"
#include "core/repository/model.h"
#include "tests/core/repository/offset_model.h"
#include "tests/core/repository/temp_repository.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Loads real models; fails when it is told to, and writes down what happens.
class TestLoader final : public ModelVersions::Loader {
 public:
  explicit TestLoader(const ModelVersions& versions) : versions_(versions) {}

  absl::StatusOr<std::shared_ptr<Model>> Load(
      const ModelSource& source, const VersionSource& version) override {
    loads.push_back(version.version);
    if (!failure.ok()) {
      return failure;
    }
    if (!version.status.ok()) {
      return version.status;
    }
    return Model::Load({.name = source.name,
                        .version = version.version,
                        .file = version.file,
                        .config = source.config},
                       metrics_);
  }
  void OnBadSource(const ModelSource& /*source*/) override { ++bad_sources; }
  void OnChange() override { history.push_back(versions_.entry()); }

  absl::Status failure;  // Of every load.
  std::vector<std::int64_t> loads;
  int bad_sources = 0;
  std::vector<CatalogEntry> history;

 private:
  const ModelVersions& versions_;
  Metrics metrics_{"1"};
};

class ModelVersionsTest : public ::testing::Test {
 protected:
  using Retry = ModelVersions::Retry;

  void Write(int version, float offset) {
    WriteOffsetModel(
        files_.folder() / "m" / std::to_string(version) / "model.onnx", offset);
  }
  void WriteBad(int version) {
    files_.Write("m/" + std::to_string(version) + "/model.onnx", "no model");
  }
  void Remove(int version) {
    std::filesystem::remove_all(files_.folder() / "m" /
                                std::to_string(version));
  }
  // Makes version 1 a link to this file.
  void Link(const std::filesystem::path& target) {
    const std::filesystem::path file = files_.folder() / "m/1/model.onnx";
    std::filesystem::create_directories(file.parent_path());
    std::filesystem::remove(file);
    std::filesystem::create_symlink(target, file);
  }
  void Configure(const std::string& text) {
    files_.Write("m/config.pbtxt", text);
  }

  absl::Status Update(Retry retry = Retry::kSeldom) {
    const absl::StatusOr<ModelSource> source = ScanModel(files_.folder(), "m");
    EXPECT_TRUE(source.ok()) << source.status();
    loader_.loads.clear();
    return versions_.Update(*source, retry, loader_);
  }

  std::vector<std::int64_t> Served() const {
    std::vector<std::int64_t> served;
    for (const auto& model : versions_.entry().served) {
      served.push_back(model->version());
    }
    return served;
  }
  std::vector<float> Offsets() const {
    std::vector<float> offsets;
    for (const auto& model : versions_.entry().served) {
      offsets.push_back(OffsetOf(*model));
    }
    return offsets;
  }
  ModelState State(std::size_t index) const {
    return versions_.entry().states.at(index);
  }

  TempRepository files_;
  ModelVersions versions_{"m"};
  TestLoader loader_{versions_};
};

TEST_F(ModelVersionsTest, UnknownModelIsNotLoaded) {
  EXPECT_EQ(State(0).name, "m");
  EXPECT_EQ(State(0).version, 0);
  EXPECT_EQ(State(0).state, VersionState::kNotLoaded);
  EXPECT_FALSE(versions_.entry().wanted);
}

TEST_F(ModelVersionsTest, SelectedVersionIsLoadedAndThenReady) {
  Write(1, 10);
  Write(2, 20);

  ASSERT_EQ(Update(), absl::OkStatus());

  EXPECT_THAT(Offsets(), ElementsAre(20));
  EXPECT_TRUE(versions_.entry().wanted);
  EXPECT_EQ(State(0).version, 2);
  EXPECT_EQ(State(0).state, VersionState::kReady);
  EXPECT_EQ(State(0).reason, "");
  ASSERT_FALSE(loader_.history.empty());
  EXPECT_EQ(loader_.history[0].states[0].state, VersionState::kLoading);
}

TEST_F(ModelVersionsTest, SameFilesAreNotLoadedAgain) {
  Write(1, 10);
  ASSERT_EQ(Update(), absl::OkStatus());

  ASSERT_EQ(Update(Retry::kNow), absl::OkStatus());

  EXPECT_THAT(loader_.loads, IsEmpty());
}

TEST_F(ModelVersionsTest, OtherFileOfTheSameVersionReplacesIt) {
  Write(1, 10);
  ASSERT_EQ(Update(), absl::OkStatus());
  Write(1, 11);

  ASSERT_EQ(Update(), absl::OkStatus());

  EXPECT_THAT(Offsets(), ElementsAre(11));
}

TEST_F(ModelVersionsTest, NewVersionIsServedBeforeTheOldOneGoes) {
  Write(1, 10);
  ASSERT_EQ(Update(), absl::OkStatus());
  Write(2, 20);
  loader_.history.clear();

  ASSERT_EQ(Update(), absl::OkStatus());

  EXPECT_THAT(Served(), ElementsAre(2));
  std::vector<std::size_t> served;
  for (const CatalogEntry& entry : loader_.history) {
    served.push_back(entry.served.size());
  }
  EXPECT_THAT(served, ElementsAre(1, 2, 1));
}

TEST_F(ModelVersionsTest, BadNewVersionLeavesTheOldOneServingAndSaysWhy) {
  Write(1, 10);
  ASSERT_EQ(Update(), absl::OkStatus());
  WriteBad(2);

  EXPECT_EQ(Update().code(), absl::StatusCode::kInvalidArgument);

  EXPECT_THAT(Offsets(), ElementsAre(10));
  EXPECT_EQ(State(0).reason, "");
  EXPECT_EQ(State(1).version, 2);
  EXPECT_EQ(State(1).state, VersionState::kUnavailable);
  EXPECT_THAT(State(1).reason, HasSubstr("2/model.onnx"));
}

TEST_F(ModelVersionsTest, BadFileOfTheSameVersionLeavesItServingAndSaysWhy) {
  Write(1, 10);
  ASSERT_EQ(Update(), absl::OkStatus());
  WriteBad(1);

  EXPECT_FALSE(Update().ok());

  EXPECT_THAT(Offsets(), ElementsAre(10));
  EXPECT_EQ(State(0).state, VersionState::kReady);
  EXPECT_THAT(State(0).reason,
              HasSubstr("serving what was loaded before: model \"m\""));
}

TEST_F(ModelVersionsTest, OldVersionGoesWhenTheBadOneIsMended) {
  Write(1, 10);
  ASSERT_EQ(Update(), absl::OkStatus());
  WriteBad(2);
  ASSERT_FALSE(Update().ok());
  Write(2, 20);

  ASSERT_EQ(Update(), absl::OkStatus());

  EXPECT_THAT(Offsets(), ElementsAre(20));
}

TEST_F(ModelVersionsTest, BadVersionThatIsRemovedIsForgotten) {
  Write(1, 10);
  ASSERT_EQ(Update(), absl::OkStatus());
  WriteBad(2);
  ASSERT_FALSE(Update().ok());
  Remove(2);

  ASSERT_EQ(Update(), absl::OkStatus());

  EXPECT_EQ(versions_.entry().states.size(), 1U);
  EXPECT_THAT(Offsets(), ElementsAre(10));
}

TEST_F(ModelVersionsTest, BadFilesAreTriedOnceUntilTheyChange) {
  WriteBad(1);
  ASSERT_FALSE(Update().ok());

  EXPECT_EQ(Update().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(loader_.loads, IsEmpty());

  Write(1, 10);
  EXPECT_EQ(Update(), absl::OkStatus());
}

TEST_F(ModelVersionsTest, BadFilesAreTriedAgainNowIfAsked) {
  WriteBad(1);
  ASSERT_FALSE(Update().ok());

  ASSERT_FALSE(Update(Retry::kNow).ok());

  EXPECT_THAT(loader_.loads, ElementsAre(1));
}

TEST_F(ModelVersionsTest,
       FailuresThatMayPassAreTriedAgainAndMoreAndMoreSeldom) {
  Write(1, 10);
  loader_.failure = absl::ResourceExhaustedError("no room");
  std::vector<int> tries;
  for (int update = 0; update < 300; ++update) {
    EXPECT_FALSE(Update().ok());
    if (!loader_.loads.empty()) {
      tries.push_back(update);
    }
  }
  EXPECT_THAT(tries, ElementsAre(0, 1, 3, 7, 15, 31, 63, 127, 191, 255));

  loader_.failure = absl::OkStatus();
  EXPECT_EQ(Update(Retry::kNow), absl::OkStatus());
  EXPECT_THAT(Offsets(), ElementsAre(10));
}

TEST_F(ModelVersionsTest, FileThatIsAsItWasNeedsNoLoad) {
  WriteOffsetModel(files_.folder() / ".good", 10);
  files_.Write(".bad", "no model");
  Link("../../.good");
  ASSERT_EQ(Update(), absl::OkStatus());
  Link("../../.bad");
  ASSERT_FALSE(Update().ok());

  Link("../../.good");

  EXPECT_EQ(Update(), absl::OkStatus());
  EXPECT_THAT(loader_.loads, IsEmpty());
  EXPECT_EQ(State(0).reason, "");
}

TEST_F(ModelVersionsTest, SeveralVersionsAreServedAtOnce) {
  Configure("version_policy { all { } }");
  for (const int version : {3, 1, 2}) {
    Write(version, static_cast<float>(version));
  }

  ASSERT_EQ(Update(), absl::OkStatus());

  EXPECT_THAT(Offsets(), ElementsAre(1, 2, 3));
}

TEST_F(ModelVersionsTest, OneBadVersionOfSeveralDoesNotStopTheOthers) {
  Configure("version_policy { all { } }");
  Write(1, 10);
  WriteBad(2);
  Write(3, 30);

  EXPECT_FALSE(Update().ok());

  EXPECT_THAT(Served(), ElementsAre(1, 3));
  EXPECT_EQ(State(1).state, VersionState::kUnavailable);
}

TEST_F(ModelVersionsTest, PolicyThatChangesLoadsAndDropsOnlyTheDifference) {
  Configure("version_policy { specific { versions: [ 1, 2 ] } }");
  for (const int version : {1, 2, 3}) {
    Write(version, static_cast<float>(version));
  }
  ASSERT_EQ(Update(), absl::OkStatus());
  Configure("version_policy { specific { versions: [ 2, 3 ] } }");

  ASSERT_EQ(Update(), absl::OkStatus());

  EXPECT_THAT(loader_.loads, ElementsAre(3));
  EXPECT_THAT(Served(), ElementsAre(2, 3));
}

TEST_F(ModelVersionsTest,
       VersionThatThePolicyNamesButIsNotThereKeepsTheOthers) {
  Write(1, 10);
  ASSERT_EQ(Update(), absl::OkStatus());
  Configure("version_policy { specific { versions: 5 } }");

  EXPECT_EQ(Update().code(), absl::StatusCode::kNotFound);

  EXPECT_THAT(Served(), ElementsAre(1));
  EXPECT_EQ(State(1).version, 5);
}

TEST_F(ModelVersionsTest, SettingsThatChangeLoadAgain) {
  Write(1, 10);
  ASSERT_EQ(Update(), absl::OkStatus());
  Configure("max_batch_size: 7");

  ASSERT_EQ(Update(), absl::OkStatus());

  EXPECT_EQ(versions_.entry().served[0]->max_request_rows(), 7);
}

TEST_F(ModelVersionsTest, LabelsChangeWithoutALoad) {
  Configure(
      "version_policy { all { } } parameters { key: "
      "'version_label.stable' value { string_value: '1' } }");
  Write(1, 10);
  Write(2, 20);
  ASSERT_EQ(Update(), absl::OkStatus());
  Configure(
      "version_policy { all { } } parameters { key: "
      "'version_label.stable' value { string_value: '2' } }");

  ASSERT_EQ(Update(), absl::OkStatus());

  EXPECT_THAT(loader_.loads, IsEmpty());
  EXPECT_EQ(versions_.entry().labels.at("stable"), 2);
}

TEST_F(ModelVersionsTest, LabelsStayWhileAVersionIsBad) {
  Configure(
      "parameters { key: 'version_label.stable' value { string_value: "
      "'1' } }");
  Write(1, 10);
  ASSERT_EQ(Update(), absl::OkStatus());
  Configure(
      "parameters { key: 'version_label.stable' value { string_value: "
      "'2' } }");
  WriteBad(2);
  ASSERT_FALSE(Update().ok());
  EXPECT_EQ(versions_.entry().labels.at("stable"), 1);

  Write(2, 20);

  ASSERT_EQ(Update(), absl::OkStatus());
  EXPECT_EQ(versions_.entry().labels.at("stable"), 2);
}

TEST_F(ModelVersionsTest, BadConfigLeavesEverythingServingAndSaysWhy) {
  Write(1, 10);
  ASSERT_EQ(Update(), absl::OkStatus());
  Configure("this is none");

  EXPECT_FALSE(Update().ok());
  EXPECT_FALSE(Update().ok());

  EXPECT_THAT(Offsets(), ElementsAre(10));
  EXPECT_THAT(State(0).reason, HasSubstr("config.pbtxt:1:"));
  EXPECT_EQ(loader_.bad_sources, 1);

  Configure("");
  EXPECT_EQ(Update(), absl::OkStatus());
  EXPECT_EQ(State(0).reason, "");
  EXPECT_THAT(loader_.loads, IsEmpty());
}

TEST_F(ModelVersionsTest, BadConfigOfANewModelNamesTheVersion) {
  Write(4, 10);
  Configure("this is none");

  EXPECT_FALSE(Update().ok());

  EXPECT_EQ(State(0).version, 4);
  EXPECT_EQ(State(0).state, VersionState::kUnavailable);
  EXPECT_THAT(State(0).reason, HasSubstr("config.pbtxt:1:"));

  Configure("");
  EXPECT_EQ(Update(), absl::OkStatus());
  EXPECT_THAT(Offsets(), ElementsAre(10));
}

TEST_F(ModelVersionsTest, LastVersionThatVanishesIsServedUntilTheModelGoes) {
  Write(1, 10);
  ASSERT_EQ(Update(), absl::OkStatus());
  Remove(1);

  EXPECT_EQ(Update().code(), absl::StatusCode::kNotFound);

  EXPECT_THAT(Offsets(), ElementsAre(10));
  EXPECT_THAT(State(0).reason, HasSubstr("no version folder"));
}

TEST_F(ModelVersionsTest, UnloadedModelIsNotServedAndNotWanted) {
  Write(1, 10);
  ASSERT_EQ(Update(), absl::OkStatus());
  const std::weak_ptr<Model> model = versions_.entry().served[0];
  loader_.history.clear();

  versions_.Unload();

  EXPECT_THAT(Served(), IsEmpty());
  EXPECT_FALSE(versions_.entry().wanted);
  EXPECT_EQ(State(0).version, 1);
  EXPECT_EQ(State(0).state, VersionState::kUnloaded);
  EXPECT_EQ(State(0).reason, "unloaded");
  EXPECT_TRUE(model.expired());

  ASSERT_EQ(Update(), absl::OkStatus());
  EXPECT_EQ(versions_.entry().states.size(), 1U);
  EXPECT_EQ(State(0).state, VersionState::kReady);
}

}  // namespace
}  // namespace relu
