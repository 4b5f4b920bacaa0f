#include "core/graph/input_reading.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "tests/core/graph/graph_testing.h"
#include "tests/core/graph/model_builder.h"

namespace relu {
namespace {

using Sizes = std::vector<std::vector<std::int64_t>>;

absl::StatusOr<std::vector<InputReading>> ReadSizes(const Sizes& sizes) {
  ModelBuilder builder;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    builder.Input("x" + std::to_string(i), {.sizes = sizes[i]});
  }
  std::vector<const onnx::ValueInfoProto*> inputs;
  for (const onnx::ValueInfoProto& input : builder.graph().input()) {
    inputs.push_back(&input);
  }
  return ReadInputs(inputs);
}

TEST(InputReadingTest, OpenDimensionIsTheBatchWhereverItIs) {
  const auto readings = ReadSizes({{-1, 4}, {3, -1}, {5}});
  ASSERT_TRUE(readings.ok()) << readings.status();
  ASSERT_EQ(readings->size(), 1U);
  EXPECT_EQ((*readings)[0].types[1].shape, (Shape{3, kBatchDim}));
  EXPECT_EQ((*readings)[0].types[2].shape, (Shape{5}));
  EXPECT_EQ((*readings)[0].fixed_rows, kBatchDim);
}

TEST(InputReadingTest, SharedFirstSizeMayBeAFixedBatch) {
  const auto readings = ReadSizes({{3, 4}, {3}});
  ASSERT_TRUE(readings.ok()) << readings.status();
  ASSERT_EQ(readings->size(), 2U);
  EXPECT_EQ((*readings)[0].fixed_rows, 3);
  EXPECT_EQ((*readings)[0].types[1].shape, (Shape{kBatchDim}));
  EXPECT_EQ((*readings)[1].types[1].shape, (Shape{3}));
}

TEST(InputReadingTest, OtherFixedSizesAreNoBatch) {
  for (const Sizes& sizes :
       {Sizes{{3}, {4}}, Sizes{{3}, {}}, Sizes{{}}, Sizes{}, Sizes{{0, 4}},
        Sizes{{(1 << 16) + 1, 4}}}) {
    const auto readings = ReadSizes(sizes);
    ASSERT_TRUE(readings.ok()) << readings.status();
    EXPECT_EQ(readings->size(), 1U);
  }
}

TEST(InputReadingTest, SeveralOpenDimensionsAndEmptyRowsAreRefused) {
  EXPECT_THAT(ReadSizes({{-1, -1}}).status(),
              Fails(kUnimplemented, "only one dimension, the batch"));
  EXPECT_THAT(ReadSizes({{-1, 0}}).status(),
              Fails(kUnimplemented, "its rows have no element"));
}

TEST(InputReadingTest, InputWithoutShapeIsRefused) {
  onnx::ValueInfoProto input;
  input.set_name("x");
  const onnx::ValueInfoProto* const inputs[] = {&input};
  EXPECT_THAT(ReadInputs(inputs).status(),
              Fails(kUnimplemented, "\"x\" has no type or no shape"));
}

}  // namespace
}  // namespace relu
