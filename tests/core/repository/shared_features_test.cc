#include "core/repository/shared_features.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/base/check.h"
#include "core/graph/graph.h"
#include "core/plan/compiled_model.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

std::vector<std::pair<std::int64_t, std::int64_t>> ReadRanges(
    std::string_view value) {
  SharedFeatures features;
  const absl::Status status =
      ReadSharedFeatures("rank_shared.x", value, features);
  EXPECT_TRUE(status.ok()) << status;
  std::vector<std::pair<std::int64_t, std::int64_t>> ranges;
  for (const FeatureRange& range : features["x"]) {
    ranges.emplace_back(range.begin, range.end);
  }
  return ranges;
}

TEST(SharedFeaturesTest, ElementsAndRangesAreRead) {
  EXPECT_THAT(ReadRanges("5"), ElementsAre(Pair(5, 6)));
  EXPECT_THAT(ReadRanges("0-15,40,64-79"),
              ElementsAre(Pair(0, 16), Pair(40, 41), Pair(64, 80)));
  EXPECT_THAT(ReadRanges("3-3,4"), ElementsAre(Pair(3, 4), Pair(4, 5)));
}

TEST(SharedFeaturesTest, WhatIsNoAscendingListIsInvalid) {
  for (const char* value :
       {"", ",", "1,", "-1", "2-1", "1-", "1,1", "4,3", "0-5,5", "a", "1 ",
        "1.5", "99999999999999999999", "0-9999999999999"}) {
    SharedFeatures features;
    const absl::Status status =
        ReadSharedFeatures("rank_shared.x", value, features);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << value;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("rank_shared.x"), HasSubstr("ascending")))
        << value;
    EXPECT_TRUE(features.empty());
  }
}

// relu(x) + x of rows of eight numbers, and "m" of rows of 2 by 4.
CompiledModel UserAndItems() {
  GraphBuilder builder;
  builder.Output(builder.Unary(Operator::kRelu, builder.Input("x", {8})));
  builder.Output(builder.Unary(Operator::kRelu, builder.Input("m", {2, 4})));
  const Graph graph = builder.Build();
  absl::StatusOr<CompiledModel> model = CompiledModel::Compile(graph);
  CHECK(model.ok());
  return *std::move(model);
}

TEST(SharedFeaturesTest, ElementsOfTheModelsRowsAreFine) {
  EXPECT_TRUE(CheckSharedFeatures({}, UserAndItems()).ok());
  EXPECT_TRUE(
      CheckSharedFeatures({{"x", {{.begin = 0, .end = 8}}}}, UserAndItems())
          .ok());
}

TEST(SharedFeaturesTest, OthersAreInvalid) {
  const auto error = [](const std::string& input, std::int64_t end) {
    const absl::Status status = CheckSharedFeatures(
        {{input, {{.begin = 0, .end = end}}}}, UserAndItems());
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  EXPECT_THAT(error("x", 9),
              AllOf(HasSubstr("rank_shared.x"), HasSubstr("element 8"),
                    HasSubstr("[-1,8]")));
  EXPECT_THAT(error("m", 1), HasSubstr("[-1,2,4]"));
  EXPECT_THAT(error("y", 1), HasSubstr("no such input"));
}

}  // namespace
}  // namespace relu
