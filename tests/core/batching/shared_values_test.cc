#include "core/batching/shared_values.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/base/check.h"
#include "core/graph/graph.h"
#include "core/plan/compiled_model.h"
#include "core/plan/workspace.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

// relu(x) of rows of five numbers.
CompiledModel FiveNumbers() {
  GraphBuilder builder;
  builder.Output(builder.Unary(Operator::kRelu, builder.Input("x", {5})));
  const Graph graph = builder.Build();
  absl::StatusOr<CompiledModel> model = CompiledModel::Compile(graph);
  CHECK(model.ok());
  return *std::move(model);
}

const std::byte* BytesOf(const std::vector<float>& values) {
  return reinterpret_cast<const std::byte*>(values.data());
}

// Two rows, gathered into rows 1 and 2; each put together alone, too.
std::vector<float> Gathered(const SharedValues& shared,
                            const std::vector<float>& own) {
  const CompiledModel model = FiveNumbers();
  Workspace workspace(model, 3);
  GatherShared(model, 0, shared, own.empty() ? nullptr : BytesOf(own),
               {.begin = 1, .end = 3}, workspace);
  model.Run(3, workspace);
  std::vector<float> rows(10);
  workspace.CopyOut(0, 1, 2, reinterpret_cast<std::byte*>(rows.data()));
  for (std::size_t row = 0; row < 2; ++row) {
    std::vector<float> whole(5);
    CopyWholeRow(shared,
                 own.empty() ? nullptr : BytesOf(own) + row * own.size() * 2,
                 /*row_bytes=*/20, reinterpret_cast<std::byte*>(whole.data()));
    EXPECT_TRUE(std::ranges::equal(whole, std::span(rows).subspan(row * 5, 5)));
  }
  return rows;
}

TEST(SharedValuesTest, OwnBytesAreTheRest) {
  SharedValues shared;
  EXPECT_EQ(shared.OwnBytes(20), 20U);
  shared.pieces = {{.offset_bytes = 0, .bytes = 4},
                   {.offset_bytes = 8, .bytes = 8}};
  EXPECT_EQ(shared.OwnBytes(20), 8U);
}

TEST(SharedValuesTest, BytesHaveTheirPlaceInTheRow) {
  const SharedValues shared{.pieces = {{.offset_bytes = 4, .bytes = 4},
                                       {.offset_bytes = 12, .bytes = 8}}};
  std::vector<std::size_t> common;
  for (std::size_t byte = 0; byte < 12; byte += 4) {
    common.push_back(shared.PlaceOfShared(byte));
  }
  EXPECT_THAT(common, ElementsAre(4, 12, 16));
  std::vector<std::size_t> own;
  for (std::size_t byte = 0; byte < 16; byte += 4) {
    own.push_back(shared.PlaceOfOwn(byte));
  }
  EXPECT_THAT(own, ElementsAre(0, 8, 20, 24));
  EXPECT_EQ(SharedValues().PlaceOfOwn(6), 6U);
}

TEST(SharedValuesTest, RowsWithoutSharedValuesAreTheirOwn) {
  EXPECT_THAT(Gathered({}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}),
              ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
}

TEST(SharedValuesTest, FirstValuesMayBeShared) {
  const std::vector<float> values = {7, 8};
  EXPECT_THAT(Gathered({.pieces = {{.offset_bytes = 0, .bytes = 8}},
                        .values = BytesOf(values)},
                       {1, 2, 3, 4, 5, 6}),
              ElementsAre(7, 8, 1, 2, 3, 7, 8, 4, 5, 6));
}

TEST(SharedValuesTest, ValuesInBetweenMayBeShared) {
  const std::vector<float> values = {7, 8, 9};
  EXPECT_THAT(Gathered({.pieces = {{.offset_bytes = 4, .bytes = 4},
                                   {.offset_bytes = 12, .bytes = 8}},
                        .values = BytesOf(values)},
                       {1, 2, 3, 4}),
              ElementsAre(1, 7, 2, 8, 9, 3, 7, 4, 8, 9));
}

TEST(SharedValuesTest, AllValuesMayBeShared) {
  const std::vector<float> values = {5, 6, 7, 8, 9};
  EXPECT_THAT(Gathered({.pieces = {{.offset_bytes = 0, .bytes = 20}},
                        .values = BytesOf(values)},
                       {}),
              ElementsAre(5, 6, 7, 8, 9, 5, 6, 7, 8, 9));
}

}  // namespace
}  // namespace relu
