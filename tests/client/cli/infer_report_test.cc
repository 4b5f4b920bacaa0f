#include "client/cli/infer_report.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/cli/results.h"
#include "core/tensor/data_type.h"
#include "nlohmann/json.hpp"

namespace relu {
namespace {

using testing::HasSubstr;

ResultTensor Floats(std::string_view name, std::int64_t row_elements,
                    const std::vector<float>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {.name = std::string(name),
          .type = DataType::kFp32,
          .row_shape = {row_elements},
          .row_elements = row_elements,
          .bytes = {bytes.begin(), bytes.end()}};
}

// Two rows of two scores; the second prediction is wrong.
InferReport Labelled() {
  return {.results = {.model = "m",
                      .version = "1",
                      .rows = 2,
                      .outputs = {Floats("y", 2, {0.1F, 1.0F / 3, 2, -1})}},
          .predictions = {1, 0},
          .labels = {1, 1}};
}

TEST(InferReportTest, TableShowsOutputsPredictionLabelAndAccuracy) {
  EXPECT_EQ(ReportAsTable(Labelled(), std::nullopt),
            "row  y               prediction  label\n"
            "0    [0.1 0.333333]  1           1      \u2713\n"
            "1    [2 -1]          0           1      \u2717\n"
            "accuracy 0.5000 (1 of 2)\n");
}

TEST(InferReportTest, TableWithoutLabelsHasNoAccuracy) {
  InferReport report = Labelled();
  report.labels.clear();
  EXPECT_EQ(ReportAsTable(report, std::nullopt),
            "row  y               prediction\n"
            "0    [0.1 0.333333]  1\n"
            "1    [2 -1]          0\n");
}

TEST(InferReportTest, TableWithoutPredictionsShowsTheOutputsOnly) {
  InferReport report = Labelled();
  report.labels.clear();
  report.predictions.clear();
  report.results.outputs = {Floats("score", 1, {0.25F, 1e-9F})};
  EXPECT_EQ(ReportAsTable(report, std::nullopt),
            "row  score\n"
            "0    0.25\n"
            "1    1e-09\n");
}

TEST(InferReportTest, TableOfTheFirstRowsHasTheAccuracyOfAll) {
  EXPECT_EQ(ReportAsTable(Labelled(), 1),
            "row  y               prediction  label\n"
            "0    [0.1 0.333333]  1           1      \u2713\n"
            "... 1 more rows\n"
            "accuracy 0.5000 (1 of 2)\n");
  EXPECT_THAT(ReportAsTable(Labelled(), 5), HasSubstr("\n1    [2 -1]"));
}

TEST(InferReportTest, WideOutputsAreCut) {
  InferReport report;
  report.results.rows = 1;
  report.results.outputs = {
      Floats("y", 100, std::vector<float>(100, 0.123456F))};
  EXPECT_EQ(ReportAsTable(report, std::nullopt),
            "row  y\n"
            "0    [0.123456 0.123456 0.123456 0.123456 ...]\n");
}

TEST(InferReportTest, JsonHoldsEveryValueInFull) {
  EXPECT_EQ(
      ReportAsJson(Labelled()),
      R"({"model_name":"m","model_version":"1","rows":2,"outputs":[)"
      R"({"name":"y","datatype":"FP32","shape":[2,2],)"
      R"("data":[0.1,0.33333334,2,-1]}],"predictions":[1,0],"labels":[1,1],)"
      R"("correct":1,"accuracy":0.5})"
      "\n");
}

// The score of the first row is NaN, with a sign.
InferReport WithoutAPrediction() {
  InferReport report = Labelled();
  report.results.outputs = {
      Floats("y", 1, {-std::numeric_limits<float>::quiet_NaN(), 1})};
  report.predictions = {std::nullopt, 1};
  report.labels = {0, 1};
  return report;
}

TEST(InferReportTest, RowWithoutAPredictionSaysSoAndIsWrong) {
  EXPECT_EQ(ReportAsTable(WithoutAPrediction(), std::nullopt),
            "row  y    prediction  label\n"
            "0    nan  none        0      \u2717\n"
            "1    1    1           1      \u2713\n"
            "accuracy 0.5000 (1 of 2)\n");
  EXPECT_THAT(ReportAsJson(WithoutAPrediction()),
              HasSubstr(R"("data":["NaN",1]}],"predictions":[null,1],)"
                        R"("labels":[0,1],"correct":1,"accuracy":0.5})"));
  EXPECT_EQ(ReportAsCsv(WithoutAPrediction()),
            "row,y,prediction,label\n0,nan,,0\n1,1,1,1\n");
}

TEST(InferReportTest, JsonIsValidWhateverTheNamesAndValuesAre) {
  InferReport report;
  report.results.model = "a\"\n\xFF";
  report.results.rows = 1;
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  report.results.outputs = {
      Floats("y\"", 5,
             {kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN(),
              1e20F, 1e-42F})};
  const auto json = nlohmann::json::parse(ReportAsJson(report), nullptr, false);
  ASSERT_FALSE(json.is_discarded());
  const auto& data = json["outputs"][0]["data"];
  EXPECT_EQ(data[0], "Infinity");
  EXPECT_EQ(data[1], "-Infinity");
  EXPECT_EQ(data[2], "NaN");
  EXPECT_EQ(data[3].get<float>(), 1e20F);
  EXPECT_EQ(data[4].get<float>(), 1e-42F);
  EXPECT_FALSE(json.contains("accuracy"));
}

}  // namespace
}  // namespace relu
