#include "server/rank_scores.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/plan/compiled_model.h"
#include "core/tensor/data_type.h"
#include "core/tensor/float16.h"
#include "proto/relu.pb.h"
#include "tests/server/loaded_repository.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(RankScoresTest, BestItemsComeByDescendingScore) {
  const std::vector<float> scores = {1, 5, -2, 4};
  EXPECT_THAT(BestItems(scores, 3), ElementsAre(1, 3, 0));
  EXPECT_THAT(BestItems(scores, 1), ElementsAre(1));
  EXPECT_THAT(BestItems(scores, 0), IsEmpty());
}

TEST(RankScoresTest, FewerItemsThanWantedAreAll) {
  const std::vector<float> scores = {1, 2};
  EXPECT_THAT(BestItems(scores, 4'000'000'000), ElementsAre(1, 0));
  EXPECT_THAT(BestItems({}, 3), IsEmpty());
}

TEST(RankScoresTest, OfEqualScoresTheFirstComesFirst) {
  const std::vector<float> scores = {3, 7, 3, 7, 0.0F, -0.0F, 7};
  EXPECT_THAT(BestItems(scores, 7), ElementsAre(1, 3, 6, 0, 2, 4, 5));
  EXPECT_THAT(BestItems(scores, 2), ElementsAre(1, 3));
}

TEST(RankScoresTest, NanComesAfterAllNumbers) {
  const std::vector<float> scores = {kNan, -kInfinity, kNan, 2, kInfinity};
  EXPECT_THAT(BestItems(scores, 5), ElementsAre(4, 3, 1, 0, 2));
}

// Rows of three elements of T.
template <typename T>
std::vector<float> Scores(DataType type, const std::vector<T>& values) {
  TensorSignature output;
  output.type = type;
  output.row_shape = {3};
  output.row_bytes = 3 * sizeof(T);
  return ReadScores(output, 1, static_cast<std::int64_t>(values.size() / 3),
                    reinterpret_cast<const std::byte*>(values.data()));
}

TEST(RankScoresTest, ScoresAreOneElementOfEachRow) {
  EXPECT_THAT(Scores<float>(DataType::kFp32, {1, 2, 3, 4, 5, 6}),
              ElementsAre(2, 5));
  EXPECT_THAT(Scores<double>(DataType::kFp64, {1, 2.5, 3}), ElementsAre(2.5));
  EXPECT_THAT(Scores<std::uint16_t>(DataType::kFp16, {0, FloatToFp16(0.5F), 0}),
              ElementsAre(0.5));
  EXPECT_THAT(Scores<std::uint16_t>(DataType::kBf16, {0, FloatToBf16(-2), 0}),
              ElementsAre(-2));
}

class ScoreColumnTest : public testing::Test {
 protected:
  absl::StatusOr<ScoreColumn> Find(const std::string& model,
                                   const v1::RankRequest& request) {
    return FindScoreColumn(request, loaded_.model(model)->compiled());
  }

  LoadedRepository loaded_{
      {.models = {"digits_mlp", "credit_embed", "iris_argmax"}}};
};

TEST_F(ScoreColumnTest, TheOnlyElementNeedsNoNumber) {
  const auto column = Find("credit_embed", {});
  ASSERT_TRUE(column.ok()) << column.status();
  EXPECT_EQ(column->output, 0U);
  EXPECT_EQ(column->element, 0U);
  v1::RankRequest request;
  request.set_output("prob");
  request.set_element(0);
  EXPECT_TRUE(Find("credit_embed", request).ok());
}

TEST_F(ScoreColumnTest, OfSeveralOneIsNamed) {
  v1::RankRequest request;
  EXPECT_EQ(Find("digits_mlp", request).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(Find("digits_mlp", request).status().message()),
              HasSubstr("10 elements"));
  request.set_element(9);
  EXPECT_EQ(Find("digits_mlp", request)->element, 9U);
  request.set_element(10);
  EXPECT_EQ(Find("digits_mlp", request).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(ScoreColumnTest, OutputMustBeOneOfFloats) {
  v1::RankRequest request;
  request.set_output("nothing");
  EXPECT_EQ(Find("credit_embed", request).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(Find("credit_embed", request).status().message()),
              HasSubstr("\"prob\""));
  // A class, an integer.
  request.set_output("label");
  EXPECT_EQ(Find("iris_argmax", request).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(Find("iris_argmax", request).status().message()),
              HasSubstr("the model has \"probabilities\""));
}

}  // namespace
}  // namespace relu
