#include "core/plan/dense_cost_cache.h"

#include <cstddef>
#include <vector>

#include "gtest/gtest.h"

#include "core/base/aligned_buffer.h"
#include "core/kernels/kernels.h"
#include "core/plan/zero_skip.h"

namespace relu {
namespace {

class DenseCostCacheTest : public testing::Test {
 protected:
  // The costs of a network of one layer.
  DenseCosts CostsOf(std::size_t k, std::size_t n) {
    const kernels::PackedDense layer{.k = k,
                                     .n = n,
                                     .weights = memory_.As<float>().data(),
                                     .bias = memory_.As<float>().data(),
                                     .row_weights = memory_.As<float>().data(),
                                     .row_stride = kernels::RowStride(n)};
    const std::vector<DenseCosts> costs = cache_.CostsOf({&layer, 1});
    EXPECT_EQ(costs.size(), 1U);
    return costs[0];
  }

  AlignedBuffer memory_{80 * kernels::RowStride(40) * sizeof(float)};
  DenseCostCache cache_;
};

TEST_F(DenseCostCacheTest, SameShapesAreMeasuredOnce) {
  const DenseCosts first = CostsOf(60, 33);
  EXPECT_GT(first.dense[0], 0);
  // Two measurements in nanoseconds are never all the same.
  const DenseCosts again = CostsOf(60, 33);
  EXPECT_EQ(again.dense, first.dense);
  EXPECT_EQ(again.sparse_alone, first.sparse_alone);
  EXPECT_EQ(again.count_row, first.count_row);
}

TEST_F(DenseCostCacheTest, OtherShapesAreMeasuredForThemselves) {
  const DenseCosts small = CostsOf(5, 17);
  const DenseCosts large = CostsOf(80, 40);
  EXPECT_NE(small.dense, large.dense);
  EXPECT_EQ(CostsOf(5, 17).dense, small.dense);
}

}  // namespace
}  // namespace relu
