#include "core/repository/explained_rows.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/metrics/metrics.h"
#include "core/metrics/model_metrics.h"
#include "core/relu/explainer.h"
#include "core/repository/model.h"
#include "core/repository/model_config.h"
#include "fmt/format.h"
#include "tests/core/repository/temp_repository.h"

namespace relu {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Of credit_embed: "dense" of 9 floats and "cat" of 4 integers, with a domain
// for an element of each.
class ExplainedRowsTest : public testing::Test {
 protected:
  void Load(std::string_view policy) {
    const std::string text = fmt::format(
        R"(parameters {{ key: "input_domain.dense"
                         value {{ string_value: "2: [18, 80]" }} }}
           parameters {{ key: "input_domain.cat"
                         value {{ string_value: "1: [0, 5]" }} }}
           parameters {{ key: "domain_policy"
                         value {{ string_value: "{}" }} }})",
        policy);
    ModelOptions options;
    options.name = "m";
    options.file = TempRepository::ModelFile("credit_embed");
    options.config =
        ReadModelConfig(files_.Write("m/config.pbtxt", text), "m").value();
    model_ = Model::Load(options, metrics_).value();
  }

  absl::Status Check(InputRows& rows) {
    return CheckExplainedRows(model_->guarantees(),
                              (*model_->explainers().For(""))->network(), rows,
                              findings_);
  }

  TempRepository files_;
  Metrics metrics_{"1"};
  std::unique_ptr<Model> model_;
  GuaranteeFindings findings_;
};

// In the second row, elements 2 of "dense" and 1 of "cat" are outside.
InputRows OneOutside() {
  return {.rows = 2,
          .elements = {14, 48, 46,  60, 100, 3000, 0, 800,  1651, 0, 2, 1, 1,
                       1,  48, 142, 94, 192, 0.5,  0, 1350, 1819, 6, 7, 1, 1}};
}

TEST_F(ExplainedRowsTest, ClampMovesTheValuesThatAreOutside) {
  Load("clamp");
  InputRows rows = OneOutside();
  std::vector<double> expected = rows.elements;
  expected[13 + 2] = 80;
  expected[13 + 9 + 1] = 5;
  ASSERT_TRUE(Check(rows).ok());
  EXPECT_EQ(rows.elements, expected);
  EXPECT_TRUE(findings_.clamped);
  EXPECT_THAT(findings_.listed_rows, ElementsAre(1));
}

// The alert compares those that are counted with the rows that were inferred.
TEST_F(ExplainedRowsTest, RowsAreNotCounted) {
  Load("flag");
  InputRows rows = OneOutside();
  ASSERT_TRUE(Check(rows).ok());
  EXPECT_EQ(model_->metrics().Read().guarantees.outside_rows, 0U);
}

TEST_F(ExplainedRowsTest, FlagLeavesThemAndSaysWhich) {
  Load("flag");
  InputRows rows = OneOutside();
  ASSERT_TRUE(Check(rows).ok());
  EXPECT_EQ(rows.elements, OneOutside().elements);
  EXPECT_EQ(findings_.outside_rows, 1);
  EXPECT_FALSE(findings_.clamped);
  EXPECT_THAT(findings_.first_outside, HasSubstr("row 1, element 2 is 142"));
}

TEST_F(ExplainedRowsTest, RejectRefusesThem) {
  Load("reject");
  InputRows rows = OneOutside();
  const absl::Status status = Check(rows);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("input \"dense\": row 1, element 2 is 142"),
                    HasSubstr("[18, 80]")));
}

TEST_F(ExplainedRowsTest, RowsInsideAreLeftAlone) {
  Load("clamp");
  InputRows rows = OneOutside();
  rows.rows = 1;
  rows.elements.resize(13);
  const std::vector<double> before = rows.elements;
  ASSERT_TRUE(Check(rows).ok());
  EXPECT_EQ(rows.elements, before);
  EXPECT_FALSE(findings_.any());
}

}  // namespace
}  // namespace relu
