#include "server/access.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "proto/inference.pb.h"

namespace relu {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kInferenceToken[] = "inference-token-0001";
constexpr char kControlToken[] = "control.token~0002+/==";
constexpr char kMetricsToken[] = "metrics_token_000003";

class AccessTest : public testing::Test {
 protected:
  AccessTest() {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~AccessTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path Write(const std::string& name,
                              const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }

  // Tokens for all groups.
  std::unique_ptr<AccessTokens> Tokens() {
    auto tokens = AccessTokens::Load(
        {.inference = Write(
             "inference", std::string("# ours\n\n") + kInferenceToken + "\r\n"),
         .control = Write("control", kControlToken),
         .metrics = Write("metrics", kMetricsToken)});
    EXPECT_TRUE(tokens.ok()) << tokens.status();
    return *std::move(tokens);
  }

  absl::Status LoadError(const std::string& text) {
    return AccessTokens::Load({.inference = Write("tokens", text)}).status();
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / "access_test";
};

std::string Bearer(const char* token) { return std::string("Bearer ") + token; }

TEST(AccessGroupTest, EveryRpcOfTheServiceHasAGroup) {
  const auto* const service =
      inference::ModelInferRequest::descriptor()->file()->service(0);
  int control = 0;
  for (int i = 0; i < service->method_count(); ++i) {
    const AccessGroup group = GroupOf("/inference.GRPCInferenceService/" +
                                      std::string(service->method(i)->name()));
    control += group == AccessGroup::kControl ? 1 : 0;
  }
  // A new RPC falls into this group until it is given its own.
  EXPECT_EQ(control, 4);
}

TEST(AccessGroupTest, GroupsAreThoseOfTheDocumentation) {
  const std::string v2 = "/inference.GRPCInferenceService/";
  EXPECT_EQ(GroupOf(v2 + "ModelInfer"), AccessGroup::kInference);
  EXPECT_EQ(GroupOf(v2 + "ModelStreamInfer"), AccessGroup::kInference);
  EXPECT_EQ(GroupOf("/relu.v1.ReluService/Explain"), AccessGroup::kInference);
  EXPECT_EQ(GroupOf("/relu.v1.ReluService/Rank"), AccessGroup::kInference);
  EXPECT_EQ(GroupOf("/relu.v1.ReluService/GetActivity"),
            AccessGroup::kInference);
  EXPECT_EQ(GroupOf(v2 + "SystemSharedMemoryRegister"),
            AccessGroup::kInference);
  EXPECT_EQ(GroupOf(v2 + "RepositoryModelLoad"), AccessGroup::kControl);
  EXPECT_EQ(GroupOf(v2 + "RepositoryModelUnload"), AccessGroup::kControl);
  EXPECT_EQ(GroupOf(v2 + "TraceSetting"), AccessGroup::kControl);
  EXPECT_EQ(GroupOf(v2 + "LogSettings"), AccessGroup::kControl);
  EXPECT_EQ(GroupOf(v2 + "RepositoryIndex"), AccessGroup::kMetadata);
  EXPECT_EQ(GroupOf(v2 + "ModelReady"), AccessGroup::kHealth);
  EXPECT_EQ(GroupOf("/grpc.health.v1.Health/Watch"), AccessGroup::kHealth);
  EXPECT_EQ(
      GroupOf("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"),
      AccessGroup::kMetadata);
  EXPECT_EQ(GroupOf("/some.other.Service/Method"), AccessGroup::kControl);
  EXPECT_EQ(GroupOf("ModelInferX"), AccessGroup::kControl);
}

TEST_F(AccessTest, TokensOpenTheirOwnGroup) {
  const auto tokens = Tokens();
  EXPECT_TRUE(
      tokens->Check(AccessGroup::kInference, Bearer(kInferenceToken)).ok());
  EXPECT_TRUE(tokens->Check(AccessGroup::kControl, Bearer(kControlToken)).ok());
  EXPECT_TRUE(tokens->Check(AccessGroup::kMetrics, Bearer(kMetricsToken)).ok());
}

TEST_F(AccessTest, TokensOfAnotherGroupArePermissionDenied) {
  const auto tokens = Tokens();
  EXPECT_EQ(
      tokens->Check(AccessGroup::kControl, Bearer(kInferenceToken)).code(),
      absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(
      tokens->Check(AccessGroup::kInference, Bearer(kControlToken)).code(),
      absl::StatusCode::kPermissionDenied);
}

TEST_F(AccessTest, WhatIsNoTokenIsUnauthenticatedAndNotRepeated) {
  const auto tokens = Tokens();
  for (const std::string bad :
       {"", "Bearer", "Bearer ", "Bearer inference-token-0002",
        "Bearer inference-token-000", "Bearer inference-token-00011",
        "Basic inference-token-0001", "inference-token-0001",
        "Bearer # ours"}) {
    const absl::Status status = tokens->Check(AccessGroup::kInference, bad);
    EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated) << bad;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("Bearer TOKEN"), Not(HasSubstr("-token-"))));
  }
}

TEST_F(AccessTest, TheSchemeHasNoCase) {
  EXPECT_TRUE(Tokens()
                  ->Check(AccessGroup::kInference,
                          std::string("bEARER  ") + kInferenceToken)
                  .ok());
}

TEST_F(AccessTest, WhatIsNoFileOfTokensIsRefusedByLineAndNeverShown) {
  for (const auto& [text, words] :
       {std::pair("", "0 tokens"), std::pair("# nothing\n", "0 tokens"),
        std::pair("short", "line 1"),
        std::pair("# one\nsecret0123456789 x\n", "line 2"),
        std::pair("secret0123456789\xC3\xBC", "line 1"),
        std::pair("secret0123456789\"", "line 1")}) {
    const absl::Status status = LoadError(text);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(words), HasSubstr("tokens:"),
                      Not(HasSubstr("secret"))));
  }
  EXPECT_EQ(LoadError(std::string(513, 'x')).code(),
            absl::StatusCode::kInvalidArgument);
  std::string many;
  for (int i = 0; i < 65; ++i) {
    many += std::string(kInferenceToken) + "\n";
  }
  EXPECT_EQ(LoadError(many).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(AccessTokens::Load({.metrics = folder_ / "no"}).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(AccessTest, ReloadTakesNewTokensAndDropsOldOnes) {
  const auto tokens = Tokens();
  Write("inference", "another-token-000000004\n");
  ASSERT_TRUE(tokens->Reload().ok());
  EXPECT_TRUE(
      tokens->Check(AccessGroup::kInference, "Bearer another-token-000000004")
          .ok());
  EXPECT_FALSE(
      tokens->Check(AccessGroup::kInference, Bearer(kInferenceToken)).ok());
}

TEST_F(AccessTest, ReloadOfAWrongFileChangesNothing) {
  const auto tokens = Tokens();
  Write("inference", "x\n");
  EXPECT_FALSE(tokens->Reload().ok());
  EXPECT_TRUE(
      tokens->Check(AccessGroup::kInference, Bearer(kInferenceToken)).ok());
}

TEST_F(AccessTest, WithoutFilesEverythingButControlIsOpen) {
  const AccessTokens none({});
  EXPECT_TRUE(none.files().empty());
  const Access access(none, OpenGroups::kHealth, /*allow_control=*/false);
  for (const AccessGroup group :
       {AccessGroup::kHealth, AccessGroup::kMetadata, AccessGroup::kInference,
        AccessGroup::kMetrics}) {
    EXPECT_TRUE(access.open(group));
    EXPECT_TRUE(access.Check(group, "").ok());
  }
  EXPECT_FALSE(access.open(AccessGroup::kControl));
  const absl::Status off = access.Check(AccessGroup::kControl, "");
  EXPECT_EQ(off.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(off.message()), HasSubstr("--allow-control=true"));
  EXPECT_TRUE(Access(none, OpenGroups::kHealth, /*allow_control=*/true)
                  .open(AccessGroup::kControl));
}

TEST_F(AccessTest, ControlThatIsOffIsOffWithAToken) {
  const auto tokens = Tokens();
  const Access off(*tokens, OpenGroups::kHealth, /*allow_control=*/false);
  EXPECT_EQ(off.Check(AccessGroup::kControl, Bearer(kControlToken)).code(),
            absl::StatusCode::kPermissionDenied);
  const Access on(*tokens, OpenGroups::kHealth, /*allow_control=*/true);
  EXPECT_TRUE(on.Check(AccessGroup::kControl, Bearer(kControlToken)).ok());
  EXPECT_EQ(on.Check(AccessGroup::kControl, "").code(),
            absl::StatusCode::kUnauthenticated);
}

TEST_F(AccessTest, OpenGroupsNeedNoToken) {
  const auto tokens = Tokens();
  const auto opened = [&](OpenGroups open, AccessGroup group) {
    const Access access(*tokens, open, /*allow_control=*/true);
    EXPECT_EQ(access.open(group), access.Check(group, "").ok());
    // They take the tokens of inference.
    EXPECT_TRUE(access.Check(group, Bearer(kInferenceToken)).ok());
    return access.open(group);
  };
  EXPECT_FALSE(opened(OpenGroups::kNone, AccessGroup::kHealth));
  EXPECT_FALSE(opened(OpenGroups::kNone, AccessGroup::kMetadata));
  EXPECT_TRUE(opened(OpenGroups::kHealth, AccessGroup::kHealth));
  EXPECT_FALSE(opened(OpenGroups::kHealth, AccessGroup::kMetadata));
  EXPECT_TRUE(opened(OpenGroups::kMetadata, AccessGroup::kHealth));
  EXPECT_TRUE(opened(OpenGroups::kMetadata, AccessGroup::kMetadata));
  EXPECT_FALSE(opened(OpenGroups::kMetadata, AccessGroup::kInference));
}

}  // namespace
}  // namespace relu
