#include "core/repository/version_policy.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "proto/model_config.pb.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

using Message = inference::ModelVersionPolicy;

TEST(ParseVersionTest, PositiveIntegersAreVersions) {
  EXPECT_EQ(ParseVersion("1"), 1);
  EXPECT_EQ(ParseVersion("9223372036854775807"), 9223372036854775807);
}

TEST(ParseVersionTest, AnythingElseIsNone) {
  for (const char* text : {"", "0", "-1", "+1", "one", "1x", " 1", "1 ", "1.0",
                           "9223372036854775808"}) {
    EXPECT_EQ(ParseVersion(text), 0) << text;
  }
}

TEST(VersionPolicyTest, DefaultIsTheLatestOne) {
  const absl::StatusOr<VersionPolicy> policy = ReadVersionPolicy({});

  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_THAT(SelectVersions(*policy, {1, 2, 9}), ElementsAre(9));
  EXPECT_THAT(SelectVersions(*policy, {}), IsEmpty());
}

TEST(VersionPolicyTest, LatestSelectsTheHighest) {
  Message message;
  message.mutable_latest()->set_num_versions(2);
  const VersionPolicy policy = ReadVersionPolicy(message).value();

  EXPECT_THAT(SelectVersions(policy, {1, 2, 9}), ElementsAre(2, 9));
  EXPECT_THAT(SelectVersions(policy, {9}), ElementsAre(9));
}

TEST(VersionPolicyTest, LatestWithoutANumberIsOne) {
  Message message;
  message.mutable_latest();

  EXPECT_EQ(ReadVersionPolicy(message)->latest, 1U);
}

TEST(VersionPolicyTest, AllSelectsAll) {
  Message message;
  message.mutable_all();

  EXPECT_THAT(SelectVersions(ReadVersionPolicy(message).value(), {3, 5}),
              ElementsAre(3, 5));
}

TEST(VersionPolicyTest, SpecificSelectsThoseThatAreNamedThereOrNot) {
  Message message;
  for (const int version : {7, 2, 7}) {
    message.mutable_specific()->add_versions(version);
  }

  EXPECT_THAT(SelectVersions(ReadVersionPolicy(message).value(), {1, 2, 3}),
              ElementsAre(2, 7));
}

TEST(VersionPolicyTest, SpecificWithoutVersionsIsInvalid) {
  Message message;
  message.mutable_specific();

  const absl::Status status = ReadVersionPolicy(message).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("names no version"));
}

TEST(VersionPolicyTest, SpecificWithoutAPositiveNumberIsInvalid) {
  Message message;
  message.mutable_specific()->add_versions(3);
  message.mutable_specific()->add_versions(0);

  const absl::Status status = ReadVersionPolicy(message).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("version 0"));
}

TEST(VersionLabelTest, LabelsNameVersions) {
  VersionLabels labels;

  ASSERT_TRUE(ReadVersionLabel("version_label.stable", "2", labels).ok());
  ASSERT_TRUE(ReadVersionLabel("version_label.v3.1-rc_2", "3", labels).ok());

  EXPECT_THAT(labels, ElementsAre(Pair("stable", 2), Pair("v3.1-rc_2", 3)));
}

TEST(VersionLabelTest, WhatCouldBeANumberOrAPathIsNoLabel) {
  VersionLabels labels;
  for (const std::string label :
       {"", "1", "2nd", "-x", "a b", "a/b", "caf\xC3\xA9", "\xFF"}) {
    const absl::Status status =
        ReadVersionLabel("version_label." + label, "2", labels);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << label;
  }
  EXPECT_FALSE(
      ReadVersionLabel("version_label." + std::string(65, 'a'), "2", labels)
          .ok());
  EXPECT_THAT(labels, IsEmpty());
}

TEST(VersionLabelTest, ValueMustBeAVersion) {
  VersionLabels labels;

  const absl::Status status =
      ReadVersionLabel("version_label.stable", "newest", labels);

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("\"version_label.stable\" is \"newest\""));
}

}  // namespace
}  // namespace relu
