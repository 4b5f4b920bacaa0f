#include "core/relu/leaf_box.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "core/relu/piecewise_linear.h"
#include "core/relu/piecewise_network.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

// Element 1 of the inputs chooses one of three entries of two floats.
Leaf Lookup() {
  Leaf leaf;
  leaf.kind = Leaf::Kind::kLookup;
  leaf.slot = {.offset = 0, .size = 2};
  leaf.sources = {{.element = 1, .scale = 1, .shift = 0}};
  leaf.table = FloatTensor({3, 2}, {1, 20, 2, 10, 3, 40});
  return leaf;
}

InputBox Box(double low, double high) {
  return {.low = {0, low}, .high = {0, high}};
}

TEST(LeafBoxTest, EntriesAreThoseThatTheBoxReaches) {
  const Interval all = LeafInterval(Lookup(), 1, Box(0, 2));
  EXPECT_EQ(all.low, 10);
  EXPECT_EQ(all.high, 40);
  const Interval two = LeafInterval(Lookup(), 1, Box(0, 1));
  EXPECT_EQ(two.low, 10);
  EXPECT_EQ(two.high, 20);
  const Interval one = LeafInterval(Lookup(), 0, Box(2, 2));
  EXPECT_EQ(one.low, 3);
  EXPECT_EQ(one.high, 3);
}

TEST(LeafBoxTest, BoxBeyondTheTableReachesAll) {
  for (const InputBox& box : {Box(-1, 0), Box(1, 3)}) {
    const Entries entries = EntriesOf(Lookup(), 0, box);
    EXPECT_EQ(entries.first, 0U);
    EXPECT_EQ(entries.last, 2U);
  }
}

TEST(LeafBoxTest, IntegersAreScaled) {
  Leaf leaf;
  leaf.kind = Leaf::Kind::kInteger;
  leaf.slot = {.offset = 0, .size = 1};
  leaf.sources = {{.element = 1, .scale = -2, .shift = 1}};
  const Interval interval = LeafInterval(leaf, 0, Box(-3, 4));
  EXPECT_EQ(interval.low, -7);
  EXPECT_EQ(interval.high, 7);
}

TEST(LeafBoxTest, FloatsAreRoundedAsTheNetworkReadsThem) {
  Leaf leaf;
  leaf.slot = {.offset = 0, .size = 2};
  const Interval interval = LeafInterval(leaf, 1, Box(0.1, 0.3));
  EXPECT_EQ(interval.low, double{0.1F});
  EXPECT_EQ(interval.high, double{0.3F});
  leaf.kind = Leaf::Kind::kInteger;
  leaf.slot.size = 1;
  leaf.sources = {{.element = 1}};
  const Interval integers = LeafInterval(leaf, 0, Box(16777217, 16777219));
  EXPECT_EQ(integers.low, 16777216);
  EXPECT_EQ(integers.high, 16777220);
}

TEST(LeafBoxTest, GroupsAreThoseOfTheLeaf) {
  InputBox box;
  box.one_hot = {{.first = 0, .size = 2}, {.first = 4, .size = 3}};
  Leaf leaf;
  leaf.slot = {.offset = 16, .size = 5};
  leaf.first_element = 3;
  const std::vector<OneHotGroup> groups = GroupsOf(leaf, box);
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].first, 1U);
  EXPECT_EQ(groups[0].size, 3U);
}

TEST(LeafBoxTest, ImageHasTheKinksInside) {
  const Interval image = ImageOf(Abs(), {.low = -3, .high = 2});
  EXPECT_EQ(image.low, 0);
  EXPECT_EQ(image.high, 3);
  const Interval right = ImageOf(Abs(), {.low = 1, .high = 2});
  EXPECT_EQ(right.low, 1);
  EXPECT_EQ(right.high, 2);
  const Interval clipped = ImageOf(Clip(-1, 6), {.low = -9, .high = 9});
  EXPECT_EQ(clipped.low, -1);
  EXPECT_EQ(clipped.high, 6);
}

}  // namespace
}  // namespace relu
