// Rank of models whose config says what is done with values that are outside of
// a domain, NaN or infinite.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/metrics/model_metrics.h"
#include "core/metrics/reject_reason.h"
#include "core/repository/model.h"
#include "fmt/format.h"
#include "proto/relu.pb.h"
#include "server/infer_exchange.h"
#include "tests/server/loaded_repository.h"
#include "tests/server/rank_testing.h"

namespace relu {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

std::string ConfigParameter(const std::string& key, const std::string& value) {
  return fmt::format(
      "parameters {{ key: \"{}\" value {{ string_value: \"{}\" }} }}\n", key,
      value);
}

// A domain for all features of the digits.
std::string DigitsDomain(const std::string& policy) {
  return ConfigParameter("input_domain.input", "0-63: [-3, 3]") +
         ConfigParameter("domain_policy", policy);
}

// The digits with a config.
class Ranking {
 public:
  explicit Ranking(const std::string& config) : loaded_({.config = config}) {}

  absl::StatusOr<v1::RankResponse> Rank(const v1::RankRequest& request) {
    const InferEnvironment environment{.repository = loaded_.repository(),
                                       .metrics = loaded_.metrics(),
                                       .max_message_bytes = 1 << 20};
    return CallRank(environment, request);
  }

  ModelFigures Figures() { return loaded_.model()->metrics().Read(); }
  std::uint64_t Refused(RejectReason reason) {
    return Figures().rejects[static_cast<std::size_t>(reason)];
  }

 private:
  LoadedRepository loaded_;
};

// Own feature 7 of item 2, which is feature 27 of its row.
float& OneFeature(DigitItems& items) { return items.own[2 * 44 + 7]; }

std::vector<std::uint32_t> ScoreBits(const v1::RankResponse& response) {
  std::vector<std::uint32_t> bits;
  for (const float score : response.scores()) {
    bits.push_back(std::bit_cast<std::uint32_t>(score));
  }
  return bits;
}

TEST(RankGuaranteesTest, RejectRefusesAnItemOutside) {
  Ranking ranking(DigitsDomain("reject"));
  DigitItems items(5, 20, 1);
  EXPECT_FALSE(ranking.Rank(items.Request())->has_findings());
  OneFeature(items) = 3.5F;
  const absl::Status status = ranking.Rank(items.Request()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("row 2"), HasSubstr("27"), HasSubstr("3.5")));
  EXPECT_EQ(ranking.Figures().guarantees.outside_rows, 1U);
  OneFeature(items) = 0;
  items.shared[4] = kNanFeature;
  EXPECT_FALSE(ranking.Rank(items.Request()).ok());
  EXPECT_EQ(ranking.Refused(RejectReason::kOutOfDomain), 2U);
}

TEST(RankGuaranteesTest, FlagAnswersTheSameBitsAndSaysWhich) {
  Ranking plain("");
  Ranking flagging(DigitsDomain("flag"));
  DigitItems items(5, 20, 1);
  OneFeature(items) = 30;
  items.own[4 * 44] = -30;
  const v1::RankResponse expected = plain.Rank(items.Request()).value();
  const v1::RankResponse flagged = flagging.Rank(items.Request()).value();
  EXPECT_FALSE(expected.has_findings());
  EXPECT_THAT(ScoreBits(flagged), ElementsAreArray(ScoreBits(expected)));
  const v1::RankFindings& findings = flagged.findings();
  EXPECT_EQ(findings.out_of_domain_items(), 2);
  EXPECT_THAT(findings.out_of_domain_list(), ElementsAre(2, 4));
  EXPECT_THAT(findings.out_of_domain_first(),
              HasSubstr("row 2, element 27 is 30"));
  EXPECT_EQ(findings.clamped_items(), 0);
  EXPECT_EQ(findings.nonfinite_items(), 0);
  EXPECT_EQ(flagging.Figures().guarantees.outside_rows, 2U);
}

TEST(RankGuaranteesTest, ListHasNumbersOfTheRequestAndAnEnd) {
  Ranking ranking(DigitsDomain("flag"));
  DigitItems items(300, 20, 1);
  items.shared[3] = 4;
  v1::RankRequest request = items.Request();
  request.set_top_k(1);
  const v1::RankFindings findings = ranking.Rank(request)->findings();
  EXPECT_EQ(findings.out_of_domain_items(), 300);
  ASSERT_EQ(findings.out_of_domain_list_size(), 256);
  EXPECT_EQ(findings.out_of_domain_list(0), 0U);
  EXPECT_EQ(findings.out_of_domain_list(255), 255U);
}

TEST(RankGuaranteesTest, ClampScoresTheNearestAndSaysSo) {
  Ranking ranking(DigitsDomain("clamp"));
  DigitItems items(5, 20, 1);
  OneFeature(items) = 3;
  const v1::RankResponse inside = ranking.Rank(items.Request()).value();
  OneFeature(items) = 30;
  const v1::RankResponse moved = ranking.Rank(items.Request()).value();
  EXPECT_THAT(ScoreBits(moved), ElementsAreArray(ScoreBits(inside)));
  EXPECT_FALSE(inside.has_findings());
  EXPECT_EQ(moved.findings().out_of_domain_items(), 1);
  EXPECT_EQ(moved.findings().clamped_items(), 1);
  EXPECT_THAT(moved.findings().out_of_domain_list(), ElementsAre(2));
}

TEST(RankGuaranteesTest, ClampCountsNanOnceAndRefusesIt) {
  Ranking ranking(DigitsDomain("clamp"));
  DigitItems items(5, 20, 1);
  OneFeature(items) = kNanFeature;
  const absl::Status status = ranking.Rank(items.Request()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("to which nothing is nearest"));
  EXPECT_EQ(ranking.Figures().guarantees.inputs.nans, 1U);
}

TEST(RankGuaranteesTest, NanIsRefusedWhereTheConfigSaysSo) {
  DigitItems items(5, 20, 1);
  OneFeature(items) = kNanFeature;
  for (const std::string side : {"input", "output"}) {
    Ranking ranking(ConfigParameter("nonfinite_" + side + "s", "reject"));
    const absl::Status status = ranking.Rank(items.Request()).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(side + " \""), HasSubstr("row 2, element")));
    EXPECT_EQ(ranking.Refused(RejectReason::kNonfinite), 1U);
    EXPECT_EQ(ranking.Figures().guarantees.inputs.rows, 1U);
  }
  Ranking ranking(ConfigParameter("nonfinite_inputs", "reject"));
  OneFeature(items) = 0;
  items.shared[4] = kNanFeature;
  EXPECT_THAT(std::string(ranking.Rank(items.Request()).status().message()),
              HasSubstr("element 4, which all rows share, is nan"));
}

}  // namespace
}  // namespace relu
