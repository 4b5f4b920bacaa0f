#include "core/tensor/shape.h"

#include <cstdint>
#include <limits>
#include <optional>

#include "gtest/gtest.h"

namespace relu {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

TEST(ShapeTest, ElementCountIsTheProduct) {
  EXPECT_EQ(ElementCount(Shape{2, 3, 4}), 24);
  EXPECT_EQ(ElementCount(Shape{7}), 7);
}

TEST(ShapeTest, ElementCountOfScalarIsOne) {
  EXPECT_EQ(ElementCount(Shape{}), 1);
}

TEST(ShapeTest, ElementCountWithZeroIsZero) {
  EXPECT_EQ(ElementCount(Shape{0}), 0);
  EXPECT_EQ(ElementCount(Shape{5, 0, 3}), 0);
  EXPECT_EQ(ElementCount(Shape{0, kMax, kMax}), 0);
}

TEST(ShapeTest, ElementCountOfNegativeSizeIsNothing) {
  EXPECT_EQ(ElementCount(Shape{-1}), std::nullopt);
  EXPECT_EQ(ElementCount(Shape{2, -3}), std::nullopt);
  EXPECT_EQ(ElementCount(Shape{0, -1}), std::nullopt);
  EXPECT_EQ(ElementCount(Shape{std::numeric_limits<std::int64_t>::min()}),
            std::nullopt);
}

TEST(ShapeTest, ElementCountThatDoesNotFitIsNothing) {
  EXPECT_EQ(ElementCount(Shape{kMax}), kMax);
  EXPECT_EQ(ElementCount(Shape{kMax, 1}), kMax);
  EXPECT_EQ(ElementCount(Shape{kMax, 2}), std::nullopt);
  EXPECT_EQ(ElementCount(Shape{std::int64_t{1} << 32, std::int64_t{1} << 31}),
            std::nullopt);
  EXPECT_EQ(ElementCount(Shape{std::int64_t{1} << 31, std::int64_t{1} << 31}),
            std::int64_t{1} << 62);
}

TEST(ShapeTest, ShapeTextListsTheSizes) {
  EXPECT_EQ(ShapeText(Shape{2, -1, 3}), "[2,-1,3]");
  EXPECT_EQ(ShapeText(Shape{4}), "[4]");
  EXPECT_EQ(ShapeText(Shape{}), "[]");
}

}  // namespace
}  // namespace relu
