#include "client/cli/guarantee_notes.h"

#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/explain.h"
#include "client/infer_message.h"
#include "client/rank.h"
#include "proto/inference.pb.h"

namespace relu {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

InferResult AnswerWith(inference::ModelInferResponse message) {
  return FromMessage(std::make_unique<inference::ModelInferResponse>(
                         std::move(message)))
      .value();
}

TEST(GuaranteeNotesTest, NothingIsSaidOfGoodRows) {
  GuaranteeNotes notes;
  notes.Add(AnswerWith({}));
  EXPECT_THAT(notes.Lines(), IsEmpty());
}

TEST(GuaranteeNotesTest, RowsOfAllAnswersAreAddedUp) {
  inference::ModelInferResponse first;
  auto& parameters = *first.mutable_parameters();
  parameters["relu_nonfinite_input_rows"].set_int64_param(2);
  parameters["relu_nonfinite_output_rows"].set_int64_param(1);
  inference::ModelInferResponse second;
  (*second.mutable_parameters())["relu_nonfinite_input_rows"].set_int64_param(
      3);
  GuaranteeNotes notes;
  notes.Add(AnswerWith(first));
  notes.Add(AnswerWith(second));
  EXPECT_THAT(notes.Lines(),
              ElementsAre("5 rows that were sent have NaN or infinity",
                          "1 rows of the answer have NaN or infinity"));
}

TEST(GuaranteeNotesTest, FirstValueOutsideIsShownAndWhatWasDone) {
  inference::ModelInferResponse answer;
  auto& parameters = *answer.mutable_parameters();
  parameters["relu_out_of_domain_rows"].set_int64_param(4);
  parameters["relu_out_of_domain_first"].set_string_param("row 7 is odd");
  GuaranteeNotes flagged;
  flagged.Add(AnswerWith(answer));
  EXPECT_THAT(flagged.Lines(),
              ElementsAre("4 rows are outside of the model's domain; the "
                          "first: row 7 is odd"));
  parameters["relu_clamped"].set_bool_param(true);
  GuaranteeNotes clamped;
  clamped.Add(AnswerWith(answer));
  EXPECT_THAT(clamped.Lines(),
              ElementsAre("4 rows are outside of the model's domain, and the "
                          "nearest rows of it are answered; the first: row 7 "
                          "is odd"));
}

TEST(GuaranteeNotesTest, ItemsAreRows) {
  GuaranteeNotes notes;
  notes.Add(RankFindings{});
  EXPECT_THAT(notes.Lines(), IsEmpty());
  notes.Add(RankFindings{.nonfinite_items = 7,
                         .nonfinite_shared_values = 1,
                         .nonfinite_outputs = 6,
                         .out_of_domain_items = 2,
                         .out_of_domain_first = "row 3 is odd",
                         .clamped_items = 2});
  EXPECT_THAT(notes.Lines(),
              ElementsAre("7 rows that were sent have NaN or infinity",
                          "1 values that all rows share are NaN or infinite",
                          "6 rows of the answer have NaN or infinity",
                          "2 rows are outside of the model's domain, and the "
                          "nearest rows of it are answered; the first: row 3 "
                          "is odd"));
}

TEST(GuaranteeNotesTest, RowsThatAreExplainedAreAddedUp) {
  GuaranteeNotes notes;
  notes.Add(ExplainFindings{});
  EXPECT_THAT(notes.Lines(), IsEmpty());
  notes.Add(ExplainFindings{.out_of_domain_rows = 2,
                            .out_of_domain_first = "row 3 is odd"});
  notes.Add(ExplainFindings{.out_of_domain_rows = 1,
                            .out_of_domain_first = "row 0 is odd"});
  EXPECT_THAT(notes.Lines(),
              ElementsAre("3 rows are outside of the model's domain; the "
                          "first: row 3 is odd"));
}

TEST(GuaranteeNotesTest, ParametersOfOtherTypesSayNothing) {
  inference::ModelInferResponse answer;
  (*answer.mutable_parameters())["relu_out_of_domain_rows"].set_string_param(
      "many");
  GuaranteeNotes notes;
  notes.Add(AnswerWith(answer));
  EXPECT_THAT(notes.Lines(), IsEmpty());
}

}  // namespace
}  // namespace relu
