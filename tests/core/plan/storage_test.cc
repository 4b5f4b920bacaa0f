#include "core/plan/storage.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/tensor/data_type.h"
#include "core/tensor/float16.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Value BatchedValue(Shape shape, DataType type = DataType::kFp32) {
  Value value;
  value.name = "v";
  value.type = type;
  value.shape = std::move(shape);
  return value;
}

Node AddNode() {
  Node node;
  node.op = Operator::kAdd;
  node.name = "sum";
  return node;
}

TEST(StorageTest, StorageTypeIsFp32ForAllFloatsAndTheSameForOthers) {
  EXPECT_EQ(StorageType(DataType::kFp16), DataType::kFp32);
  EXPECT_EQ(StorageType(DataType::kBf16), DataType::kFp32);
  EXPECT_EQ(StorageType(DataType::kFp64), DataType::kFp32);
  EXPECT_EQ(StorageType(DataType::kInt8), DataType::kInt8);
}

TEST(StorageTest, RowSizesLeaveOutTheBatchDimension) {
  const Value value = BatchedValue({kBatchDim, 3, 4}, DataType::kBf16);
  EXPECT_THAT(RowShape(value), ElementsAre(3, 4));
  EXPECT_EQ(RowElements(value), 12U);
  EXPECT_EQ(RowBytes(value), 48U);
}

TEST(StorageTest, RowOfShapeWithBatchAloneHasOneElement) {
  EXPECT_EQ(RowElements(BatchedValue({kBatchDim})), 1U);
}

TEST(StorageTest, SplitRowCountsElementsBeforeAndAfterTheAxis) {
  const AxisSplit split = SplitRow(BatchedValue({kBatchDim, 2, 3, 4}), 2);
  EXPECT_EQ(split.outer, 2U);
  EXPECT_EQ(split.size, 3U);
  EXPECT_EQ(split.inner, 4U);
}

TEST(StorageTest, ToStorageWidensHalfTypes) {
  Tensor half(DataType::kFp16, {2});
  half.As<std::uint16_t>()[0] = FloatToFp16(1.5F);
  half.As<std::uint16_t>()[1] = FloatToFp16(-2.0F);
  EXPECT_THAT(ToStorage(half).As<float>(), ElementsAre(1.5F, -2.0F));
  Tensor brain(DataType::kBf16, {1});
  brain.As<std::uint16_t>()[0] = FloatToBf16(0.5F);
  EXPECT_THAT(ToStorage(brain).As<float>(), ElementsAre(0.5F));
}

TEST(StorageTest, ExpandConstantBroadcastsWithoutTheBatchDimension) {
  const absl::StatusOr<Tensor> row =
      ExpandConstant(AddNode(), FloatTensor({1, 2, 1}, {5, 6}),
                     BatchedValue({kBatchDim, 2, 2}));
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->shape(), (Shape{2, 2}));
  EXPECT_THAT(row->As<float>(), ElementsAre(5, 5, 6, 6));
}

TEST(StorageTest, ExpandConstantIsUnimplementedWhenRowsWouldDiffer) {
  const absl::StatusOr<Tensor> row = ExpandConstant(
      AddNode(), FloatTensor({2, 1}, {5, 6}), BatchedValue({kBatchDim, 3}));
  EXPECT_EQ(row.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(row.status().message()), HasSubstr("sum"));
}

TEST(StorageTest, ToStorageRoundsDoubles) {
  Tensor doubles(DataType::kFp64, {2});
  doubles.As<double>()[0] = 1.0 / 3.0;
  doubles.As<double>()[1] = -2.0;
  EXPECT_THAT(ToStorage(doubles).As<float>(), ElementsAre(1.0F / 3.0F, -2.0F));
}

TEST(StorageTest, RequireFloatTakesAllFloatsAndRefusesIntegers) {
  EXPECT_TRUE(
      RequireFloat(AddNode(), BatchedValue({kBatchDim}, DataType::kFp16)).ok());
  EXPECT_TRUE(
      RequireFloat(AddNode(), BatchedValue({kBatchDim}, DataType::kFp64)).ok());
  EXPECT_EQ(RequireFloat(AddNode(), BatchedValue({kBatchDim}, DataType::kInt8))
                .code(),
            absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace relu
