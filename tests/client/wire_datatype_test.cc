#include "client/wire_datatype.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "gtest/gtest.h"

namespace relu {
namespace {

using Sizes = std::vector<std::int64_t>;

TEST(WireDatatypeTest, ElementSizesAreThoseOfTheProtocol) {
  EXPECT_EQ(WireElementSize("BOOL"), 1U);
  EXPECT_EQ(WireElementSize("INT16"), 2U);
  EXPECT_EQ(WireElementSize("BF16"), 2U);
  EXPECT_EQ(WireElementSize("FP32"), 4U);
  EXPECT_EQ(WireElementSize("UINT64"), 8U);
  EXPECT_EQ(WireElementSize("BYTES"), 0U);
}

TEST(WireDatatypeTest, UnknownDatatypeHasNoSize) {
  EXPECT_EQ(WireElementSize("fp32"), std::nullopt);
  EXPECT_EQ(WireElementSize(""), std::nullopt);
}

TEST(WireDatatypeTest, ElementCountIsTheProduct) {
  EXPECT_EQ(WireElementCount(Sizes{2, 3, 4}), 24);
  EXPECT_EQ(WireElementCount(Sizes{}), 1);
}

TEST(WireDatatypeTest, ElementCountIsZeroWhenAnySizeIs) {
  constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(WireElementCount(Sizes{kHuge, kHuge, 0}), 0);
}

TEST(WireDatatypeTest, ElementCountIsMissingWhenNegativeOrTooLarge) {
  EXPECT_EQ(WireElementCount(Sizes{-1, 3}), std::nullopt);
  EXPECT_EQ(WireElementCount(Sizes{0, -1}), std::nullopt);
  EXPECT_EQ(WireElementCount(Sizes{1LL << 32, 1LL << 31}), std::nullopt);
}

}  // namespace
}  // namespace relu
