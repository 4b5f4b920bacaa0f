#include "core/repository/batching_config.h"

#include <chrono>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

#include "core/base/check.h"
#include "proto/model_config.pb.h"

namespace relu {
namespace {

using std::chrono::microseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using TimeoutAction = QueuePolicy::TimeoutAction;

absl::StatusOr<BatchingOptions> Read(std::string_view text,
                                     std::int64_t max_batch_size = 0) {
  inference::ModelDynamicBatching message;
  CHECK(google::protobuf::TextFormat::ParseFromString(std::string(text),
                                                      &message));
  return ReadBatching(message, max_batch_size);
}

void ExpectInvalid(std::string_view text, const std::string& words,
                   std::int64_t max_batch_size = 0) {
  const absl::Status status = Read(text, max_batch_size).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
  EXPECT_THAT(std::string(status.message()), HasSubstr(words)) << text;
}

TEST(BatchingConfigTest, NothingGivesTheDefaults) {
  const auto options = Read("");
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_TRUE(options->preferred_batch_size.empty());
  EXPECT_EQ(options->max_queue_delay, microseconds(0));
  EXPECT_FALSE(options->preserve_ordering);
  EXPECT_EQ(options->priority_levels, 1U);
  EXPECT_EQ(options->default_priority_level, 1U);
  EXPECT_TRUE(options->default_queue_policy.allow_timeout_override);
  EXPECT_EQ(options->default_queue_policy.max_queue_size, 0U);
}

TEST(BatchingConfigTest, EveryFieldIsRead) {
  const auto options = Read(R"(
    preferred_batch_size: [ 4, 8 ]
    max_queue_delay_microseconds: 100
    priority_levels: 3
    default_priority_level: 2
    default_queue_policy {
      timeout_action: DELAY
      default_timeout_microseconds: 5000
      allow_timeout_override: true
      max_queue_size: 7
    }
    priority_queue_policy {
      key: 3
      value { default_timeout_microseconds: 9 max_queue_size: 1 }
    })");
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_THAT(options->preferred_batch_size, ElementsAre(4, 8));
  EXPECT_EQ(options->max_queue_delay, microseconds(100));
  EXPECT_EQ(options->priority_levels, 3U);
  EXPECT_EQ(options->default_priority_level, 2U);
  const QueuePolicy& standard = options->default_queue_policy;
  EXPECT_EQ(standard.timeout_action, TimeoutAction::kDelay);
  EXPECT_EQ(standard.default_timeout, microseconds(5000));
  EXPECT_TRUE(standard.allow_timeout_override);
  EXPECT_EQ(standard.max_queue_size, 7U);
  ASSERT_EQ(options->priority_queue_policy.size(), 1U);
  const QueuePolicy& third = options->priority_queue_policy.at(3);
  EXPECT_EQ(third.timeout_action, TimeoutAction::kReject);
  EXPECT_EQ(third.default_timeout, microseconds(9));
  EXPECT_FALSE(third.allow_timeout_override);
  EXPECT_EQ(third.max_queue_size, 1U);
}

TEST(BatchingConfigTest, PolicyThatIsGivenDoesNotAllowOverrideByItself) {
  // As in Triton: the default of the field is false.
  const auto options = Read("default_queue_policy { max_queue_size: 7 }");
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_FALSE(options->default_queue_policy.allow_timeout_override);
}

TEST(BatchingConfigTest, PreserveOrderingIsRead) {
  EXPECT_TRUE(Read("preserve_ordering: true")->preserve_ordering);
  EXPECT_TRUE(Read("preserve_ordering: true priority_levels: 1 "
                   "default_priority_level: 1")
                  .ok());
}

TEST(BatchingConfigTest, WhatWouldBreakTheOrderIsRefused) {
  ExpectInvalid(
      "preserve_ordering: true priority_levels: 2 default_priority_level: 1",
      "priority_levels is 2");
  ExpectInvalid(
      "preserve_ordering: true default_queue_policy { timeout_action: DELAY }",
      "DELAY");
  ExpectInvalid(
      "preserve_ordering: true priority_queue_policy { key: 1 value { "
      "timeout_action: DELAY } }",
      "DELAY");
}

TEST(BatchingConfigTest, PreferredSizesAreChecked) {
  ExpectInvalid("preferred_batch_size: 0", "preferred_batch_size is 0");
  ExpectInvalid("preferred_batch_size: [ 4, 9 ]", "is 9, wanted at most", 8);
  EXPECT_TRUE(Read("preferred_batch_size: [ 4, 8 ]", 8).ok());
}

TEST(BatchingConfigTest, PrioritiesAreChecked) {
  ExpectInvalid("priority_levels: 2", "default_priority_level is 0");
  ExpectInvalid("priority_levels: 2 default_priority_level: 3",
                "default_priority_level is 3, wanted 1 .. 2");
  ExpectInvalid("default_priority_level: 1", "no priority_levels");
  ExpectInvalid("priority_levels: 257 default_priority_level: 1",
                "the most is 256");
  ExpectInvalid("priority_queue_policy { key: 2 value { } }", "the key 2");
  ExpectInvalid("priority_queue_policy { key: 0 value { } }", "the key 0");
}

TEST(BatchingConfigTest, TimesAndActionsAreChecked) {
  ExpectInvalid("max_queue_delay_microseconds: 86400000001",
                "max_queue_delay_microseconds");
  ExpectInvalid(
      "default_queue_policy { default_timeout_microseconds: 86400000001 }",
      "default_queue_policy.default_timeout_microseconds");
  inference::ModelDynamicBatching message;
  message.mutable_default_queue_policy()->set_timeout_action(
      static_cast<inference::ModelQueuePolicy::TimeoutAction>(7));
  EXPECT_THAT(std::string(ReadBatching(message, 0).status().message()),
              HasSubstr("timeout_action is 7"));
}

}  // namespace
}  // namespace relu
