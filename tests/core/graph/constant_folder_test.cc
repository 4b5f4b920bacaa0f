#include "core/graph/constant_folder.h"

#include <cstdint>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/core/graph/graph_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

// Folds a node with one output.
absl::StatusOr<Tensor> FoldOne(ConstantFolder& folder, const Node& node,
                               const ValueType& result,
                               std::span<const Tensor* const> inputs) {
  ASSIGN_OR_RETURN(std::vector<Tensor> values,
                   folder.Fold(node, std::span(&result, 1), inputs));
  return std::move(values[0]);
}

TEST(ConstantFolderTest, FoldGivesValueOfNode) {
  ConstantFolder folder(/*outlines=*/false);
  const Tensor a = FloatTensor({2}, {1, 2});
  const auto sum = FoldOne(folder, MakeNode(Operator::kAdd),
                           {DataType::kFp32, {2}}, {{&a, &a}});
  ASSERT_TRUE(sum.ok()) << sum.status();
  EXPECT_THAT(sum->As<float>(), ElementsAre(2, 4));
}

TEST(ConstantFolderTest, FoldRefusesBeforeComputingWhenResultIsTooLarge) {
  ConstantFolder folder(/*outlines=*/false);
  const Tensor a(DataType::kFp32, {1 << 12, 1});
  const Tensor b(DataType::kFp32, {1, 1 << 12});
  EXPECT_THAT(FoldOne(folder, MakeNode(Operator::kAdd),
                      {DataType::kFp32, {1 << 12, 1 << 12}}, {{&a, &b}})
                  .status(),
              Fails(kUnimplemented,
                    "more elements than 1048576 a node or 4194304 in all"));
}

TEST(ConstantFolderTest, FoldRefusesWhenElementsCannotBeCounted) {
  ConstantFolder folder(/*outlines=*/false);
  const Tensor a(DataType::kFp32, {1});
  const std::int64_t huge = std::int64_t{1} << 40;
  EXPECT_THAT(FoldOne(folder, MakeNode(Operator::kAdd),
                      {DataType::kFp32, {huge, huge}}, {{&a, &a}})
                  .status(),
              Fails(kUnimplemented, "export with constants folded"));
}

TEST(ConstantFolderTest, FoldRefusesWhenAllResultsTogetherAreTooLarge) {
  ConstantFolder folder(/*outlines=*/false);
  const Tensor a(DataType::kInt8, {1 << 20});
  const auto fold = [&] {
    return FoldOne(folder, MakeNode(Operator::kAdd),
                   {DataType::kInt8, {1 << 20}}, {{&a, &a}})
        .status();
  };
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(fold(), absl::OkStatus());
  }
  EXPECT_EQ(fold().code(), kUnimplemented);
}

TEST(ConstantFolderTest, FoldAllowsAsManyElementsAsAreGiven) {
  ConstantFolder folder(/*outlines=*/false);
  folder.AddGivenElements(3 << 20);
  const Tensor a(DataType::kFp32, {1});
  const auto fold = [&](std::int64_t count) {
    const Tensor b(DataType::kFp32, {count});
    return FoldOne(folder, MakeNode(Operator::kAdd), {DataType::kFp32, {count}},
                   {{&a, &b}})
        .status();
  };
  EXPECT_EQ(fold(3 << 20), absl::OkStatus());
  EXPECT_EQ(fold((3 << 20) + 1).code(), kUnimplemented);
}

TEST(ConstantFolderTest, FoldRefusesWhenItWouldTakeTooLong) {
  ConstantFolder folder(/*outlines=*/false);
  const Tensor a(DataType::kFp32, {1 << 10, 1 << 12});
  const Tensor b(DataType::kFp32, {1 << 12, 1 << 10});
  EXPECT_THAT(FoldOne(folder, MakeNode(Operator::kMatMul),
                      {DataType::kFp32, {1 << 10, 1 << 10}}, {{&a, &b}})
                  .status(),
              Fails(kUnimplemented, "operations"));
}

TEST(ConstantFolderTest, OutlinesLeaveOutElementsOfLargeResults) {
  ConstantFolder folder(/*outlines=*/true);
  const Tensor small(DataType::kFp32, {1});
  const Tensor large = Tensor::WithoutElements(DataType::kFp32, {5000});
  const Node add = MakeNode(Operator::kAdd);
  const auto sum =
      folder.Fold(add, std::vector<ValueType>{{DataType::kFp32, {5000}}},
                  std::vector<const Tensor*>{&small, &large});
  ASSERT_TRUE(sum.ok()) << sum.status();
  EXPECT_EQ((*sum)[0].shape(), Shape{5000});
  EXPECT_TRUE((*sum)[0].bytes().empty());
  EXPECT_TRUE(folder.is_certain());
}

TEST(ConstantFolderTest, OutlinesAreUncertainWhenSmallResultsNeedLargeInputs) {
  ConstantFolder folder(/*outlines=*/true);
  const Tensor large = Tensor::WithoutElements(DataType::kFp32, {5000});
  const auto sum = folder.Fold(
      MakeNode(Operator::kReduceSum, {{"axes", std::vector<std::int64_t>{0}},
                                      {"keepdims", std::int64_t{1}}}),
      std::vector<ValueType>{{DataType::kFp32, {1}}},
      std::vector<const Tensor*>{&large});
  ASSERT_TRUE(sum.ok()) << sum.status();
  EXPECT_EQ((*sum)[0].bytes().size(), 4U);
  EXPECT_FALSE(folder.is_certain());
}

}  // namespace
}  // namespace relu
