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
  ConstantFolder folder;
  const Tensor a = FloatTensor({2}, {1, 2});
  const auto sum = FoldOne(folder, MakeNode(Operator::kAdd),
                           {DataType::kFp32, {2}}, {{&a, &a}});
  ASSERT_TRUE(sum.ok()) << sum.status();
  EXPECT_THAT(sum->As<float>(), ElementsAre(2, 4));
}

TEST(ConstantFolderTest, FoldRefusesBeforeComputingWhenResultIsTooLarge) {
  ConstantFolder folder;
  const Tensor a(DataType::kFp32, {1 << 12, 1});
  const Tensor b(DataType::kFp32, {1, 1 << 12});
  EXPECT_THAT(FoldOne(folder, MakeNode(Operator::kAdd),
                      {DataType::kFp32, {1 << 12, 1 << 12}}, {{&a, &b}})
                  .status(),
              Fails(kUnimplemented, "take more than 16777216 bytes"));
}

TEST(ConstantFolderTest, FoldRefusesWhenElementsCannotBeCounted) {
  ConstantFolder folder;
  const Tensor a(DataType::kFp32, {1});
  const std::int64_t huge = std::int64_t{1} << 40;
  EXPECT_THAT(FoldOne(folder, MakeNode(Operator::kAdd),
                      {DataType::kFp32, {huge, huge}}, {{&a, &a}})
                  .status(),
              Fails(kUnimplemented, "bytes; export with constants folded"));
}

TEST(ConstantFolderTest, FoldRefusesWhenAllResultsTogetherAreTooLarge) {
  ConstantFolder folder;
  const Tensor a(DataType::kFp32, {1});
  const Tensor b(DataType::kFp32, {3 << 20});
  const ValueType twelve_mebibytes{DataType::kFp32, {3 << 20}};
  EXPECT_TRUE(
      FoldOne(folder, MakeNode(Operator::kAdd), twelve_mebibytes, {{&a, &b}})
          .ok());
  EXPECT_EQ(
      FoldOne(folder, MakeNode(Operator::kAdd), twelve_mebibytes, {{&a, &b}})
          .status()
          .code(),
      kUnimplemented);
}

TEST(ConstantFolderTest, FoldAllowsFourTimesWhatIsGiven) {
  ConstantFolder folder;
  folder.AddGivenBytes(std::size_t{6} << 20);
  const Tensor a(DataType::kFp32, {1});
  const Tensor b(DataType::kFp32, {6 << 20});
  EXPECT_TRUE(FoldOne(folder, MakeNode(Operator::kAdd),
                      {DataType::kFp32, {6 << 20}}, {{&a, &b}})
                  .ok());
}

TEST(ConstantFolderTest, FoldRefusesWhenItWouldTakeTooLong) {
  ConstantFolder folder;
  const Tensor a(DataType::kFp32, {1 << 11, 1 << 10});
  const Tensor b(DataType::kFp32, {1 << 10, 1 << 11});
  EXPECT_THAT(FoldOne(folder, MakeNode(Operator::kMatMul),
                      {DataType::kFp32, {1 << 11, 1 << 11}}, {{&a, &b}})
                  .status(),
              Fails(kUnimplemented, "operations"));
}

}  // namespace
}  // namespace relu
