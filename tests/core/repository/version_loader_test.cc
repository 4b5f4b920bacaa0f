#include "core/repository/version_loader.h"

#include <cstddef>
#include <filesystem>
#include <latch>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/metrics/metrics.h"
#include "tests/core/repository/offset_model.h"
#include "tests/core/repository/temp_repository.h"

namespace relu {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class VersionLoaderTest : public ::testing::Test {
 protected:
  VersionLoaderTest() {
    WriteOffsetModel(files_.folder() / "m/1/model.onnx", 10);
  }

  absl::StatusOr<std::shared_ptr<Model>> Load(VersionLoader& loader) {
    source_ = ScanModel(files_.folder(), "m").value();
    return loader.Load(source_, source_.versions.at(0));
  }

  RepositoryOptions WithBudget(std::size_t bytes) const {
    return {.folder = files_.folder(), .memory_budget_bytes = bytes};
  }

  TempRepository files_;
  Metrics metrics_{"1"};
  std::shared_ptr<LoaderQueue> queue_ = std::make_shared<LoaderQueue>();
  VersionLoader loader_{{.folder = files_.folder()}, metrics_, queue_};
  ModelSource source_;
};

TEST_F(VersionLoaderTest, LoadedModelAnswersAndIsCounted) {
  const absl::StatusOr<std::shared_ptr<Model>> model = Load(loader_);

  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(OffsetOf(**model), 10);
  EXPECT_EQ(loader_.used_bytes(), (*model)->bytes());
  EXPECT_GT(loader_.used_bytes(), 0U);
  EXPECT_THAT(metrics_.Text(),
              AllOf(HasSubstr("relu_model_load_failures_total{model=\"m\"} 0"),
                    HasSubstr("relu_model_load_seconds_count{model=\"m\"} 1")));
}

TEST_F(VersionLoaderTest, FailureIsCounted) {
  files_.Write("m/1/model.onnx", "no model");

  EXPECT_FALSE(Load(loader_).ok());

  EXPECT_EQ(loader_.used_bytes(), 0U);
  EXPECT_THAT(metrics_.Text(),
              HasSubstr("relu_model_load_failures_total{model=\"m\"} 1"));
}

TEST_F(VersionLoaderTest, LastPointerSendsTheModelToTheQueue) {
  absl::StatusOr<std::shared_ptr<Model>> model = Load(loader_);
  ASSERT_TRUE(model.ok()) << model.status();
  std::shared_ptr<Model> second = *model;

  model->reset();
  EXPECT_EQ(queue_->TakeRetired().size(), 0U);
  second.reset();

  std::vector<std::unique_ptr<Model>> retired = queue_->TakeRetired();
  ASSERT_EQ(retired.size(), 1U);
  EXPECT_GT(loader_.used_bytes(), 0U);
  loader_.Free(std::move(retired));
  EXPECT_EQ(loader_.used_bytes(), 0U);
}

// The reason for the queue: without it the model would end under its own feet.
TEST_F(VersionLoaderTest, LastPointerMayGoFromWithinADoneOfTheModel) {
  absl::StatusOr<std::shared_ptr<Model>> model = Load(loader_);
  ASSERT_TRUE(model.ok()) << model.status();
  Model& raw = **model;
  const std::vector<std::byte> input(8);
  InferenceRequest request;
  request.rows = 1;
  request.inputs = {input.data()};
  request.outputs = {nullptr};
  std::latch dropped(1);
  std::latch go_on(1);
  request.done = [&](const absl::Status&) {
    model->reset();
    dropped.count_down();
    go_on.wait();
  };
  std::thread client([&] {
    InferenceRequest* const requests[] = {&request};
    raw.scheduler().Submit(requests);
  });
  dropped.wait();

  std::vector<std::unique_ptr<Model>> retired = queue_->TakeRetired();
  ASSERT_EQ(retired.size(), 1U);
  std::thread loader([&] { loader_.Free(std::move(retired)); });
  go_on.count_down();

  client.join();
  loader.join();
  EXPECT_EQ(loader_.used_bytes(), 0U);
}

TEST_F(VersionLoaderTest, ModelThatFitsTheBudgetIsLoaded) {
  const std::size_t bytes = [&] { return (*Load(loader_))->bytes(); }();
  const auto file_bytes =
      std::filesystem::file_size(files_.folder() / "m/1/model.onnx");
  ASSERT_LT(file_bytes, bytes);

  VersionLoader enough(WithBudget(bytes), metrics_, queue_);
  EXPECT_TRUE(Load(enough).ok());

  VersionLoader little(WithBudget(bytes - 1), metrics_, queue_);
  const absl::Status status = Load(little).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("it takes " + std::to_string(bytes) + " bytes"),
                    HasSubstr(std::to_string(bytes - 1) +
                              " are left of the memory budget of " +
                              std::to_string(bytes - 1))));
}

TEST_F(VersionLoaderTest, FileBeyondTheBudgetIsNotRead) {
  VersionLoader loader(WithBudget(10), metrics_, queue_);

  const absl::Status status = Load(loader).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("10 are left of the memory budget of 10"));
}

TEST_F(VersionLoaderTest, BudgetCountsWhatIsStillInUse) {
  const std::size_t bytes = (*Load(loader_))->bytes();
  VersionLoader loader(WithBudget(2 * bytes), metrics_, queue_);
  absl::StatusOr<std::shared_ptr<Model>> first = Load(loader);
  absl::StatusOr<std::shared_ptr<Model>> second = Load(loader);
  ASSERT_TRUE(first.ok() && second.ok());

  EXPECT_EQ(Load(loader).status().code(), absl::StatusCode::kResourceExhausted);

  // A model that no request holds any more makes room by itself.
  first->reset();
  EXPECT_TRUE(Load(loader).ok());
}

TEST_F(VersionLoaderTest, FilesThatChangeWhileTheyAreReadAreNotServed) {
  source_ = ScanModel(files_.folder(), "m").value();
  WriteOffsetModel(files_.folder() / "m/1/model.onnx", 11);

  const absl::Status status =
      loader_.Load(source_, source_.versions.at(0)).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("have changed while they were read"));
}

TEST_F(VersionLoaderTest, StatusOfTheVersionIsReturned) {
  source_ = ScanModel(files_.folder(), "m").value();
  source_.versions.at(0).status = absl::NotFoundError("nothing there");

  EXPECT_EQ(loader_.Load(source_, source_.versions.at(0)).status(),
            absl::NotFoundError("nothing there"));
}

}  // namespace
}  // namespace relu
