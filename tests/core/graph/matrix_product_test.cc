#include "core/graph/matrix_product.h"

#include <cstdint>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/elements.h"
#include "tests/core/graph/graph_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

TEST(MatrixProductTest, StacksOfMatricesBroadcast) {
  const std::vector<double> a{1, 2, 3, 4};     // [2, 1, 2]
  const std::vector<double> b{1, 10, 100, 5};  // [2, 2]
  EXPECT_THAT(MultiplyTensors<double>({2, 1, 2}, a, {2, 2}, b),
              ElementsAre(201, 20, 403, 50));
}

TEST(MatrixProductTest, VectorsAreRowsAndColumns) {
  const std::vector<double> a{1, 2};
  EXPECT_THAT(MultiplyTensors<double>({2}, a, {2}, a), ElementsAre(5));
}

TEST(MatrixProductTest, IntegersWrapAround) {
  const std::vector<std::int64_t> a{std::numeric_limits<std::int64_t>::max()};
  const std::vector<std::int64_t> b{2};
  EXPECT_THAT(MultiplyTensors<std::int64_t>({1, 1}, a, {1, 1}, b),
              ElementsAre(-2));
}

}  // namespace
}  // namespace relu
