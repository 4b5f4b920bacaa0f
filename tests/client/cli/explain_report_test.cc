#include "client/cli/explain_report.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/cli/rows.h"
#include "client/explain.h"
#include "core/tensor/data_type.h"
#include <nlohmann/json.hpp>

namespace relu {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ModelInputs TwoInputs() {
  ModelInputs inputs;
  inputs.inputs = {{.name = "x",
                    .type = DataType::kFp32,
                    .row_shape = {2},
                    .row_elements = 2},
                   {.name = "c",
                    .type = DataType::kInt64,
                    .row_shape = {1},
                    .row_elements = 1}};
  return inputs;
}

ExplainResult Explained() {
  ExplainedElement explained{.row = 4,
                             .element = 1,
                             .value = 10,
                             .answer = 10,
                             .baseline_value = 2,
                             .intercept = 3,
                             .remainder = 0.5,
                             .kinks = 6,
                             .pieces = 7,
                             .contributions = {}};
  explained.contributions = {{.input = "c",
                              .element = 0,
                              .value = 5,
                              .baseline = 1,
                              .gradient = 0,
                              .contribution = -4}};
  return {.model_name = "m",
          .model_version = "1",
          .output = "y",
          .explained = "y",
          .link = "",
          .explanations = {explained}};
}

TEST(ExplainReportTest, WithoutBaselineTheInterceptIsShown) {
  const ModelInputs inputs = TwoInputs();
  const std::vector<std::string> columns;
  const std::string text =
      ExplainReport(Explained(), inputs, columns, /*has_baseline=*/false)
          .Table();
  EXPECT_THAT(text, HasSubstr("row 4: y[1] = 10, intercept 3, 6 activations at "
                              "a kink, 7 pieces\n"));
  EXPECT_THAT(text, HasSubstr("c[0]"));
  // 10 - 0.5 - 3 + 4
  EXPECT_THAT(text, HasSubstr("(2 others)"));
  EXPECT_THAT(text, HasSubstr("+10.5"));
  EXPECT_THAT(text, Not(HasSubstr("not explained")));
}

TEST(ExplainReportTest, WithBaselineWhatIsNotExplainedIsShown) {
  const ModelInputs inputs = TwoInputs();
  const std::vector<std::string> columns = {"age", "income", "home"};
  const std::string text =
      ExplainReport(Explained(), inputs, columns, /*has_baseline=*/true)
          .Table();
  EXPECT_THAT(text, HasSubstr("row 4: y[1] = 10, baseline 2,"));
  EXPECT_THAT(text, HasSubstr("home"));
  EXPECT_THAT(text, HasSubstr("+11.5"));
  EXPECT_THAT(text, HasSubstr("(not explained)"));
  EXPECT_THAT(text, HasSubstr("+0.5"));
}

TEST(ExplainReportTest, JsonHasEveryField) {
  const ModelInputs inputs = TwoInputs();
  const std::vector<std::string> columns;
  const auto json = nlohmann::json::parse(
      ExplainReport(Explained(), inputs, columns, /*has_baseline=*/true)
          .Json());
  EXPECT_EQ(json, nlohmann::json::parse(R"({
    "model_name": "m", "model_version": "1", "output": "y", "explained": "y",
    "link": "", "explanations": [{
      "row": 4, "element": 1, "value": 10.0, "answer": 10.0,
      "baseline_value": 2.0, "intercept": 3.0, "remainder": 0.5, "kinks": 6,
      "pieces": 7, "contributions": [{
        "feature": "c[0]", "input": "c", "element": 0, "value": 5.0,
        "baseline": 1.0, "gradient": 0.0, "contribution": -4.0}]}]})"));
}

}  // namespace
}  // namespace relu
