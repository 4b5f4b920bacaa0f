#include "client/cli/rank_report.h"

#include <limits>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "client/cli/output_form.h"
#include "client/rank.h"
#include <nlohmann/json.hpp>

namespace relu {
namespace {

RankResult TwoBest() {
  return {.model_name = "m",
          .model_version = "1",
          .output = "score",
          .items = {2, 0},
          .scores = {0.75F, -1}};
}

TEST(RankReportTest, TableHasALineForEachItem) {
  EXPECT_EQ(RankReport(TwoBest(), {}, OutputForm::kTable),
            "item  score\n"
            "2     0.75\n"
            "0     -1\n");
}

TEST(RankReportTest, ItemsHaveTheirLabels) {
  EXPECT_EQ(RankReport(TwoBest(), {5, 6, 7}, OutputForm::kTable),
            "item  score  label\n"
            "2     0.75   7\n"
            "0     -1     5\n");
  EXPECT_EQ(RankReport(TwoBest(), {5, 6, 7}, OutputForm::kCsv),
            "item,score,label\n2,0.75,7\n0,-1,5\n");
}

TEST(RankReportTest, WithoutItemsScoresAreThoseOfAll) {
  RankResult all = TwoBest();
  all.items = {};
  EXPECT_EQ(RankReport(all, {}, OutputForm::kCsv),
            "item,score\n0,0.75\n1,-1\n");
}

TEST(RankReportTest, NanHasNoSign) {
  RankResult result = TwoBest();
  result.scores = {1, -std::numeric_limits<float>::quiet_NaN()};
  EXPECT_EQ(RankReport(result, {}, OutputForm::kTable),
            "item  score\n2     1\n0     nan\n");
  EXPECT_EQ(RankReport(result, {}, OutputForm::kCsv),
            "item,score\n2,1\n0,nan\n");
}

TEST(RankReportTest, JsonHasEveryValueInFull) {
  RankResult result = TwoBest();
  result.scores = {0.1F, std::numeric_limits<float>::quiet_NaN()};
  const std::string text = RankReport(result, {5, 6, 7}, OutputForm::kJson);
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["model_name"], "m");
  EXPECT_EQ(json["model_version"], "1");
  EXPECT_EQ(json["output"], "score");
  EXPECT_EQ(json["items"][0]["item"], 2);
  EXPECT_EQ(json["items"][0]["score"].get<float>(), 0.1F);
  EXPECT_EQ(json["items"][0]["label"], 7);
  EXPECT_EQ(json["items"][1]["score"], "NaN");
  result.scores = {std::numeric_limits<float>::infinity(),
                   -std::numeric_limits<float>::infinity()};
  const auto infinite =
      nlohmann::json::parse(RankReport(result, {}, OutputForm::kJson));
  EXPECT_EQ(infinite["items"][0]["score"], "Infinity");
  EXPECT_EQ(infinite["items"][1]["score"], "-Infinity");
  EXPECT_FALSE(infinite["items"][0].contains("label"));
}

}  // namespace
}  // namespace relu
