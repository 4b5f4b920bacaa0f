#include "client/rank_message.h"

#include <array>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/rank.h"
#include "proto/relu.pb.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(RankMessageTest, TheMethodIsThatOfTheService) {
  const auto* const service = v1::RankRequest::descriptor()->file()->service(0);
  EXPECT_EQ(kRankMethod, "/" + service->full_name() + "/" +
                             service->FindMethodByName("Rank")->name());
}

TEST(RankMessageTest, EveryFieldOfTheRequestIsSent) {
  const std::array<float, 2> user = {0.5F, -1};
  const std::array<std::int64_t, 3> ids = {7, 8, 9};
  const RankRequest request{
      .model = "m",
      .version = "2",
      .id = "page",
      .shared = {RankValues<float>("x", {1, 2}, user)},
      .items = {RankValues<std::int64_t>("id", {3, 1}, ids)},
      .output = "y",
      .element = 0,
      .top_k = 3};
  v1::RankRequest message;
  ASSERT_TRUE(message.ParseFromString(EncodeRankRequest(request)));
  EXPECT_EQ(message.model_name(), "m");
  EXPECT_EQ(message.model_version(), "2");
  EXPECT_EQ(message.id(), "page");
  EXPECT_EQ(message.shared(0).name(), "x");
  EXPECT_EQ(message.shared(0).datatype(), "FP32");
  EXPECT_THAT(message.shared(0).shape(), ElementsAre(1, 2));
  EXPECT_EQ(message.shared(0).raw(),
            std::string(reinterpret_cast<const char*>(user.data()), 8));
  EXPECT_EQ(message.items(0).datatype(), "INT64");
  EXPECT_EQ(message.items(0).raw().size(), 24U);
  EXPECT_EQ(message.output(), "y");
  EXPECT_TRUE(message.has_element());
  EXPECT_EQ(message.element(), 0U);
  EXPECT_EQ(message.top_k(), 3U);
}

TEST(RankMessageTest, AnElementThatIsNotNamedIsNotSent) {
  v1::RankRequest message;
  ASSERT_TRUE(message.ParseFromString(EncodeRankRequest({})));
  EXPECT_FALSE(message.has_element());
}

TEST(RankMessageTest, EveryFieldOfTheAnswerIsRead) {
  v1::RankResponse message;
  message.set_model_name("m");
  message.set_model_version("2");
  message.set_output("y");
  message.add_items(4);
  message.add_scores(0.5F);
  const auto result = DecodeRankResponse(message.SerializeAsString());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->model_name, "m");
  EXPECT_EQ(result->model_version, "2");
  EXPECT_EQ(result->output, "y");
  EXPECT_THAT(result->items, ElementsAre(4));
  EXPECT_THAT(result->scores, ElementsAre(0.5F));
  message.clear_items();
  EXPECT_THAT(DecodeRankResponse(message.SerializeAsString())->items,
              IsEmpty());
}

TEST(RankMessageTest, EveryFindingIsRead) {
  v1::RankResponse message;
  const auto nothing = DecodeRankResponse(message.SerializeAsString());
  EXPECT_EQ(nothing->findings.nonfinite_items, 0);
  EXPECT_THAT(nothing->findings.out_of_domain_list, IsEmpty());
  v1::RankFindings& sent = *message.mutable_findings();
  sent.set_nonfinite_items(1);
  sent.set_nonfinite_shared_values(2);
  sent.set_nonfinite_outputs(3);
  sent.set_out_of_domain_items(4);
  sent.add_out_of_domain_list(5);
  sent.set_out_of_domain_first("text");
  sent.set_clamped_items(6);
  const auto result = DecodeRankResponse(message.SerializeAsString());
  const RankFindings& findings = result->findings;
  EXPECT_EQ(findings.nonfinite_items, 1);
  EXPECT_EQ(findings.nonfinite_shared_values, 2);
  EXPECT_EQ(findings.nonfinite_outputs, 3);
  EXPECT_EQ(findings.out_of_domain_items, 4);
  EXPECT_THAT(findings.out_of_domain_list, ElementsAre(5));
  EXPECT_EQ(findings.out_of_domain_first, "text");
  EXPECT_EQ(findings.clamped_items, 6);
}

TEST(RankMessageTest, AnswersThatMakeNoSenseAreInternalErrors) {
  EXPECT_EQ(DecodeRankResponse("\x0a\x7f").status().code(),
            absl::StatusCode::kInternal);
  v1::RankResponse message;
  message.add_items(1);
  EXPECT_EQ(DecodeRankResponse(message.SerializeAsString()).status().code(),
            absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace relu
