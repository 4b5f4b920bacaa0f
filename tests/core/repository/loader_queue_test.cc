#include "core/repository/loader_queue.h"

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"

#include "core/metrics/metrics.h"
#include "core/repository/model.h"
#include "tests/core/repository/temp_repository.h"

namespace relu {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::minutes kLong{5};

class LoaderQueueTest : public ::testing::Test {
 protected:
  ControlCommand Command(const std::string& model) {
    ControlCommand command;
    command.model = model;
    command.done = [this](const absl::Status& status) { result_ = status; };
    return command;
  }

  std::unique_ptr<Model> LoadIris() {
    auto model = Model::Load(
        {.name = "iris", .file = TempRepository::ModelFile("iris_argmax")},
        metrics_);
    EXPECT_TRUE(model.ok()) << model.status();
    return *std::move(model);
  }

  Metrics metrics_{"1"};
  LoaderQueue queue_;
  absl::Status result_ = absl::UnknownError("not done");
};

TEST_F(LoaderQueueTest, CommandsComeInTheirOrder) {
  queue_.Push(Command("a"));
  queue_.Push(Command("b"));

  EXPECT_EQ(queue_.Wait(Clock::now() + kLong).command->model, "a");
  EXPECT_EQ(queue_.Wait(Clock::now() + kLong).command->model, "b");
}

TEST_F(LoaderQueueTest, WaitEndsWithoutWorkWhenItsTimeHasCome) {
  const LoaderQueue::Work work = queue_.Wait(Clock::now());

  EXPECT_FALSE(work.command.has_value());
  EXPECT_FALSE(work.closed);
  EXPECT_TRUE(work.retired.empty());
}

TEST_F(LoaderQueueTest, WaitIsEndedByEachKindOfWork) {
  std::thread other([this] { queue_.Push(Command("a")); });
  EXPECT_TRUE(queue_.Wait(Clock::now() + kLong).command.has_value());
  other.join();

  other = std::thread([this] { queue_.Retire(LoadIris()); });
  EXPECT_EQ(queue_.Wait(Clock::now() + kLong).retired.size(), 1U);
  other.join();

  other = std::thread([this] { queue_.Close(); });
  EXPECT_TRUE(queue_.Wait(Clock::now() + kLong).closed);
  other.join();
}

TEST_F(LoaderQueueTest, RetiredModelsAreTaken) {
  queue_.Retire(LoadIris());

  EXPECT_EQ(queue_.TakeRetired().size(), 1U);
  EXPECT_EQ(queue_.TakeRetired().size(), 0U);
}

TEST_F(LoaderQueueTest, CommandsBeyondTheLimitAreRefused) {
  for (std::size_t i = 0; i < LoaderQueue::kMaxCommands; ++i) {
    queue_.Push(Command("a"));
  }
  EXPECT_EQ(result_.code(), absl::StatusCode::kUnknown);

  queue_.Push(Command("one more"));

  EXPECT_EQ(result_.code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(LoaderQueueTest, CloseRefusesWhatWaitsAndWhatComes) {
  queue_.Push(Command("a"));

  queue_.Close();

  EXPECT_EQ(std::exchange(result_, absl::OkStatus()).code(),
            absl::StatusCode::kUnavailable);
  queue_.Push(Command("b"));
  EXPECT_EQ(result_.code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(queue_.Wait(Clock::now() + kLong).command.has_value());
}

TEST_F(LoaderQueueTest, FinishedQueueFreesModelsAtOnce) {
  queue_.Close();
  queue_.Retire(LoadIris());

  EXPECT_EQ(queue_.Finish().size(), 1U);
  queue_.Retire(LoadIris());

  EXPECT_EQ(queue_.Finish().size(), 0U);
}

}  // namespace
}  // namespace relu
