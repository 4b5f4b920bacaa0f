#include "client/cli/predictions.h"

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

namespace relu {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

template <typename T>
ResultTensor Output(DataType type, std::int64_t row_elements,
                    const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span<const T>(values));
  return {.name = "y",
          .type = type,
          .row_shape = {row_elements},
          .row_elements = row_elements,
          .bytes = {bytes.begin(), bytes.end()}};
}

ResultTensor Scores() {
  return Output<float>(DataType::kFp32, 3, {0.1F, 0.7F, 0.2F, 9, 0, 1});
}

ResultTensor Score() {
  return Output<double>(DataType::kFp64, 1, {0.5, 0.4999});
}

Results TwoRows(const std::vector<ResultTensor>& outputs) {
  return {.model = "m", .version = "1", .rows = 2, .outputs = outputs};
}

TEST(PredictionsTest, LargestOfManyScoresIsPredicted) {
  EXPECT_THAT(PredictionsOf(TwoRows({Score(), Scores()}), true),
              ElementsAre(1, 0));
}

TEST(PredictionsTest, FirstOfEqualScoresIsPredicted) {
  EXPECT_THAT(
      PredictionsOf(TwoRows({Output<float>(DataType::kFp32, 2, {1, 1, 2, 2})}),
                    true),
      ElementsAre(0, 0));
}

TEST(PredictionsTest, IntegerOutputIsThePredictionWhereverItStands) {
  const ResultTensor labels =
      Output<std::int64_t>(DataType::kInt64, 1, {7, -1});
  EXPECT_THAT(PredictionsOf(TwoRows({Scores(), labels}), false),
              ElementsAre(7, -1));
}

TEST(PredictionsTest, OneScoreIsSplitAtOneHalfIfBinary) {
  EXPECT_THAT(PredictionsOf(TwoRows({Score()}), true), ElementsAre(1, 0));
  EXPECT_THAT(PredictionsOf(TwoRows({Score()}), false), IsEmpty());
}

TEST(PredictionsTest, RowWithNanHasNoPrediction) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<Prediction> first_only = {std::nullopt, 1};
  EXPECT_EQ(
      PredictionsOf(
          TwoRows({Output<float>(DataType::kFp32, 2, {kNan, 1, 1, 2})}), true),
      first_only);
  EXPECT_EQ(
      PredictionsOf(
          TwoRows({Output<float>(DataType::kFp32, 2, {1, -kNan, 1, 2})}), true),
      first_only);
  EXPECT_EQ(PredictionsOf(
                TwoRows({Output<float>(DataType::kFp32, 1, {kNan, 1})}), true),
            first_only);
}

TEST(PredictionsTest, NothingIsPredictedWithoutAUsefulOutput) {
  EXPECT_THAT(PredictionsOf(TwoRows({}), true), IsEmpty());
  EXPECT_THAT(
      PredictionsOf(
          TwoRows({Output<std::int64_t>(DataType::kInt64, 2, {1, 2, 3, 4})}),
          true),
      IsEmpty());
}

TEST(PredictionsTest, CorrectOnesAreCounted) {
  EXPECT_EQ(CountCorrect(std::vector<Prediction>{1, 2, 3},
                         std::vector<double>{1.0, 2.5, 3.0}),
            2);
}

TEST(PredictionsTest, NoPredictionIsWrongWhateverTheLabelIs) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(CountCorrect(std::vector<Prediction>(3),
                         std::vector<double>{0.0, 1.0, kNan}),
            0);
}

}  // namespace
}  // namespace relu
