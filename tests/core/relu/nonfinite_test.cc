#include "core/relu/nonfinite.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/elements.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

constexpr double kInfiniteValue = std::numeric_limits<double>::infinity();
constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

class NonfiniteTest : public testing::TestWithParam<DataType> {
 protected:
  static Tensor TensorOf(const std::vector<double>& values) {
    return FromDoubles(GetParam(), {static_cast<std::int64_t>(values.size())},
                       values);
  }
};

INSTANTIATE_TEST_SUITE_P(Floats, NonfiniteTest,
                         testing::Values(DataType::kFp32, DataType::kFp64,
                                         DataType::kFp16, DataType::kBf16),
                         [](const auto& each) {
                           return std::string(DataTypeName(each.param));
                         });

TEST_P(NonfiniteTest, EachIsFoundWithItsPlaceAndValue) {
  const Tensor tensor =
      TensorOf({1, kNotANumber, -2, kInfiniteValue, 0, -kInfiniteValue});
  std::vector<std::pair<std::size_t, double>> found;

  EXPECT_FALSE(AllFinite(GetParam(), 6, tensor.bytes().data()));
  VisitNonfinite(
      GetParam(), 6, tensor.bytes().data(),
      [&](std::size_t i, double value) { found.emplace_back(i, value); });

  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].first, 1U);
  EXPECT_TRUE(std::isnan(found[0].second));
  EXPECT_EQ(found[1], std::pair(std::size_t{3}, kInfiniteValue));
  EXPECT_EQ(found[2], std::pair(std::size_t{5}, -kInfiniteValue));
}

TEST_P(NonfiniteTest, OneAtAnyPlaceIsFound) {
  for (std::size_t at = 0; at < 40; ++at) {
    std::vector<double> values(40, -1.5);
    EXPECT_TRUE(AllFinite(GetParam(), 40, TensorOf(values).bytes().data()));
    values[at] = at % 2 == 0 ? kNotANumber : -kInfiniteValue;
    EXPECT_FALSE(AllFinite(GetParam(), 40, TensorOf(values).bytes().data()))
        << at;
  }
}

TEST_P(NonfiniteTest, LargestFiniteValueIsFinite) {
  // Rounded to the largest of the half formats, whatever they are.
  const double largest = GetParam() == DataType::kFp16   ? 65504.0
                         : GetParam() == DataType::kBf16 ? 0x1.FEp127
                         : GetParam() == DataType::kFp32
                             ? double{std::numeric_limits<float>::max()}
                             : std::numeric_limits<double>::max();
  const Tensor tensor = TensorOf({largest, -largest, 0.0});
  EXPECT_TRUE(AllFinite(GetParam(), 3, tensor.bytes().data()));
  VisitNonfinite(GetParam(), 3, tensor.bytes().data(),
                 [](std::size_t /*i*/, double value) {
                   ADD_FAILURE() << value << " is finite";
                 });
}

TEST(NonfiniteIntegersTest, EveryPatternOfBitsIsFinite) {
  const std::vector<std::byte> ones(64, std::byte{0xFF});
  for (const DataType type :
       {DataType::kBool, DataType::kUint8, DataType::kUint16, DataType::kUint32,
        DataType::kUint64, DataType::kInt8, DataType::kInt16, DataType::kInt32,
        DataType::kInt64}) {
    EXPECT_TRUE(AllFinite(type, 8, ones.data()));
    VisitNonfinite(type, 8, ones.data(), [](std::size_t /*i*/, double value) {
      ADD_FAILURE() << value << " is finite";
    });
  }
}

}  // namespace
}  // namespace relu
