#include "server/repository_flags.h"

#include <chrono>
#include <cstddef>
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/repository/repository_options.h"

namespace relu {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(RepositoryFlagsTest, DefaultsAreThoseOfTheFlags) {
  const RepositoryOptions options = ToOptions({});

  EXPECT_EQ(options.control, ControlMode::kNone);
  EXPECT_EQ(options.poll_interval, milliseconds(15'000));
  EXPECT_EQ(options.settle_time, milliseconds(1000));
  EXPECT_EQ(options.activity_sample_every, ActivityOptions::kChoose);
  EXPECT_EQ(options.memory_budget_bytes,
            std::numeric_limits<std::size_t>::max());
}

TEST(RepositoryFlagsTest, EverySettingReachesTheRepository) {
  const RepositoryOptions options =
      ToOptions({.control = ControlMode::kExplicit,
                 .load_models = {"a", "b"},
                 .poll_seconds = 0.25,
                 .settle_seconds = 0,
                 .activity_sample_every = 7,
                 .memory_budget_bytes = 1000});

  EXPECT_EQ(options.control, ControlMode::kExplicit);
  EXPECT_THAT(options.load_at_start, ElementsAre("a", "b"));
  EXPECT_EQ(options.poll_interval, milliseconds(250));
  EXPECT_EQ(options.settle_time, milliseconds(0));
  EXPECT_EQ(options.activity_sample_every, 7);
  EXPECT_EQ(options.memory_budget_bytes, 1000U);
}

TEST(RepositoryFlagsTest, ModelsToLoadContradictTheOtherModes) {
  RepositorySettings settings;
  EXPECT_EQ(Contradiction(settings), "");
  settings.load_models = {"a"};
  EXPECT_THAT(Contradiction(settings), HasSubstr("--load-model"));
  settings.control = ControlMode::kExplicit;
  EXPECT_EQ(Contradiction(settings), "");
}

}  // namespace
}  // namespace relu
