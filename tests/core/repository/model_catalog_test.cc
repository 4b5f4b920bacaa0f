#include "core/repository/model_catalog.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

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

using ::testing::HasSubstr;

class ModelCatalogTest : public ::testing::Test {
 protected:
  std::shared_ptr<Model> Load(std::int64_t version) {
    auto model = Model::Load(
        {.name = "m",
         .version = version,
         .file = WriteOffsetModel(files_.folder() / "model.onnx", 1)},
        metrics_);
    EXPECT_TRUE(model.ok()) << model.status();
    return *std::move(model);
  }

  // Versions 2 and 7 are served, 9 could not be loaded; label "stable" is 2,
  // "next" is 9, "old" is 1.
  ModelCatalog TwoVersions() {
    auto entry = std::make_shared<CatalogEntry>();
    for (const std::int64_t version : {2, 7}) {
      entry->served.push_back(Load(version));
      entry->states.push_back({.name = "m",
                               .version = version,
                               .state = VersionState::kReady,
                               .reason = ""});
    }
    entry->states.push_back({.name = "m",
                             .version = 9,
                             .state = VersionState::kUnavailable,
                             .reason = "it is bad"});
    entry->labels = {{"stable", 2}, {"next", 9}, {"old", 1}};
    return ModelCatalog({{"m", entry}});
  }

  // One model without any version that is served.
  static ModelCatalog NotServed(VersionState state, const std::string& reason,
                                bool wanted = true) {
    auto entry = std::make_shared<CatalogEntry>();
    entry->states.push_back(
        {.name = "m", .version = 0, .state = state, .reason = reason});
    entry->wanted = wanted;
    return ModelCatalog({{"m", entry}});
  }

  static void ExpectNot(const ModelCatalog& catalog, const std::string& version,
                        absl::StatusCode code, const std::string& message) {
    EXPECT_EQ(catalog.Find("m", version), nullptr) << version;
    const absl::Status status = catalog.WhyNot("m", version);
    EXPECT_EQ(status.code(), code) << version;
    EXPECT_EQ(status.message(), message) << version;
  }

  TempRepository files_;
  Metrics metrics_{"1"};
};

TEST_F(ModelCatalogTest, VersionIsTheHighestServedIfNoneIsNamed) {
  EXPECT_EQ(TwoVersions().Find("m", "")->version(), 7);
}

TEST_F(ModelCatalogTest, VersionIsFoundByItsNumber) {
  const ModelCatalog catalog = TwoVersions();

  EXPECT_EQ(catalog.Find("m", "2")->version(), 2);
  EXPECT_EQ(catalog.Find("m", "7")->version(), 7);
}

TEST_F(ModelCatalogTest, VersionIsFoundByItsLabel) {
  EXPECT_EQ(TwoVersions().Find("m", "stable")->version(), 2);
}

TEST_F(ModelCatalogTest, UnknownModelIsNotFound) {
  const ModelCatalog catalog = TwoVersions();

  EXPECT_EQ(catalog.Find("x", ""), nullptr);
  EXPECT_EQ(catalog.WhyNot("x", ""),
            absl::NotFoundError("Request for unknown model: 'x' is not found"));
}

TEST_F(ModelCatalogTest, UnknownVersionIsNotFound) {
  ExpectNot(TwoVersions(), "3", absl::StatusCode::kNotFound,
            "Request for unknown model: 'm' version 3 is not found: versions "
            "2, 7 are served");
  ExpectNot(TwoVersions(), "old", absl::StatusCode::kNotFound,
            "Request for unknown model: 'm' version 1 is not found: versions "
            "2, 7 are served");
}

TEST_F(ModelCatalogTest, VersionThatCouldNotBeLoadedIsUnavailable) {
  for (const char* version : {"9", "next"}) {
    ExpectNot(TwoVersions(), version, absl::StatusCode::kUnavailable,
              "Request for unknown model: 'm' is not ready: it is bad");
  }
}

TEST_F(ModelCatalogTest, WhatIsNeitherNumberNorLabelIsInvalid) {
  for (const char* version :
       {"0", "-1", "canary", "2 ", "9223372036854775808"}) {
    ExpectNot(TwoVersions(), version, absl::StatusCode::kInvalidArgument,
              std::string("model 'm': version '") + version +
                  "' is neither a positive integer below 2^63 nor a label of "
                  "the model");
  }
}

TEST_F(ModelCatalogTest, MessagesDoNotRepeatLongTexts) {
  const ModelCatalog catalog = TwoVersions();
  const std::string text(100'000, 'x');

  EXPECT_LT(catalog.WhyNot(text, "").message().size(), 400U);
  EXPECT_LT(catalog.WhyNot("m", text).message().size(), 500U);
}

TEST_F(ModelCatalogTest, ModelThatIsNotServedSaysWhy) {
  for (const auto& [state, words] :
       {std::pair(VersionState::kNotLoaded, "it is not loaded"),
        std::pair(VersionState::kUnloaded, "it was unloaded"),
        std::pair(VersionState::kLoading, "it is being loaded"),
        std::pair(VersionState::kUnavailable, "no file")}) {
    const ModelCatalog catalog = NotServed(state, "no file");
    for (const char* version : {"", "1"}) {
      ExpectNot(
          catalog, version, absl::StatusCode::kUnavailable,
          std::string("Request for unknown model: 'm' is not ready: ") + words);
    }
  }
}

TEST_F(ModelCatalogTest, ReadyIfEveryWantedModelIsServed) {
  EXPECT_TRUE(ModelCatalog().ready());
  EXPECT_TRUE(TwoVersions().ready());
  EXPECT_FALSE(NotServed(VersionState::kUnavailable, "").ready());
  EXPECT_TRUE(NotServed(VersionState::kNotLoaded, "", false).ready());
}

TEST_F(ModelCatalogTest, StatesHaveTritonsNames) {
  EXPECT_EQ(VersionStateName(VersionState::kNotLoaded), "");
  EXPECT_EQ(VersionStateName(VersionState::kUnloaded), "UNAVAILABLE");
  EXPECT_EQ(VersionStateName(VersionState::kLoading), "LOADING");
  EXPECT_EQ(VersionStateName(VersionState::kReady), "READY");
  EXPECT_EQ(VersionStateName(VersionState::kUnavailable), "UNAVAILABLE");
}

}  // namespace
}  // namespace relu
