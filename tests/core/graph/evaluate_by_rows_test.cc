#include "core/graph/evaluate_by_rows.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"

#include "core/graph/elements.h"
#include "core/graph/interpreter.h"
#include "tests/core/graph/graph_testing.h"

namespace relu {
namespace {

// Numbers from 1 on that are not the same in any two rows.
Tensor Numbers(DataType type, Shape shape) {
  const auto count = static_cast<std::size_t>(ElementCount(shape).value());
  std::vector<double> numbers(count);
  for (std::size_t i = 0; i < count; ++i) {
    numbers[i] = static_cast<double>(1 + i % 113);
  }
  return FromDoubles(type, shape, numbers);
}

// More elements than are computed together; rows do not come out even.
const Shape kLarge = {509, 211};

void ExpectSame(const Node& node, const ValueType& result,
                const std::vector<const Tensor*>& inputs) {
  const auto pieces = EvaluateByRows(node, std::span(&result, 1), inputs);
  const auto whole = EvaluateNode(node, std::span(&result, 1), inputs);
  ASSERT_TRUE(pieces.ok()) << pieces.status();
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_EQ((*pieces)[0].shape(), result.shape);
  EXPECT_TRUE(std::ranges::equal((*pieces)[0].bytes(), (*whole)[0].bytes()));
}

TEST(EvaluateByRowsTest, OperandsBroadcastInEveryWay) {
  const Tensor large = Numbers(DataType::kFp32, kLarge);
  for (const Shape& shape :
       {kLarge, Shape{509, 1}, Shape{1, 211}, Shape{211}, Shape{1}, Shape{}}) {
    const Tensor other = Numbers(DataType::kFp32, shape);
    ExpectSame(MakeNode(Operator::kDiv), {DataType::kFp32, kLarge},
               {&large, &other});
    ExpectSame(MakeNode(Operator::kSub), {DataType::kFp32, kLarge},
               {&other, &large});
  }
  const Tensor column = Numbers(DataType::kFp32, {509, 1});
  const Tensor row = Numbers(DataType::kFp32, {211});
  ExpectSame(MakeNode(Operator::kMul), {DataType::kFp32, kLarge},
             {&column, &row});
}

TEST(EvaluateByRowsTest, ScalesBelongToRowsOrColumns) {
  const Tensor large = Numbers(DataType::kInt8, kLarge);
  for (const auto& [axis, size] :
       {std::pair<std::int64_t, std::int64_t>{0, 509}, {1, 211}, {1, 1}}) {
    const Tensor scale = Numbers(DataType::kFp32, {size});
    const Tensor zero = Numbers(DataType::kInt8, {size});
    ExpectSame(MakeNode(Operator::kDequantizeLinear, {{"axis", axis}}),
               {DataType::kFp32, kLarge}, {&large, &scale, &zero});
  }
}

TEST(EvaluateByRowsTest, OperandsCanBeOneThreeOrLeftOut) {
  const Tensor large = Numbers(DataType::kFp32, kLarge);
  const ValueType result{DataType::kFp32, kLarge};
  ExpectSame(MakeNode(Operator::kExp), result, {&large});
  const Tensor column = Numbers(DataType::kFp32, {509, 1});
  const Tensor row = Numbers(DataType::kFp32, {1, 211});
  ExpectSame(MakeNode(Operator::kMax), result, {&row, &large, &column});
  Tensor condition(DataType::kBool, {509, 1});
  for (std::size_t i = 0; i < condition.bytes().size(); i += 3) {
    condition.bytes()[i] = std::byte{1};
  }
  ExpectSame(MakeNode(Operator::kWhere), result, {&condition, &row, &large});
  const Tensor slope = Numbers(DataType::kFp32, {211});
  const Tensor minus =
      FromDoubles(DataType::kFp32, kLarge, std::vector<double>(509 * 211, -3));
  ExpectSame(MakeNode(Operator::kPRelu), result, {&minus, &slope});
  const Tensor most = Numbers(DataType::kFp32, {});
  ExpectSame(MakeNode(Operator::kClip, {{"min", 3.0F}, {"max", 50.0F}}), result,
             {&large, nullptr, &most});
}

TEST(EvaluateByRowsTest, LongRowsComeInParts) {
  for (const Shape& shape :
       {Shape{1, 70'000}, Shape{2, 3, 70'001}, Shape{200'000}, Shape{70'000, 1},
        Shape{2, 3, 1, 5, 70'000}}) {
    const Tensor large = Numbers(DataType::kFp32, shape);
    const Tensor row = Numbers(DataType::kFp32, {shape.back()});
    Shape column_shape = shape;
    column_shape.back() = 1;
    const Tensor column = Numbers(DataType::kFp32, column_shape);
    ExpectSame(MakeNode(Operator::kSub), {DataType::kFp32, shape},
               {&large, &row});
    ExpectSame(MakeNode(Operator::kDiv), {DataType::kFp32, shape},
               {&column, &large});
    ExpectSame(MakeNode(Operator::kMul), {DataType::kFp32, shape},
               {&row, &column});
  }
}

TEST(EvaluateByRowsTest, OperandsOfFewerDimensionsStandAtTheEnd) {
  const Shape shape = {2, 3, 70'001};
  const Tensor large = Numbers(DataType::kFp32, shape);
  for (const Shape& other :
       {Shape{3, 70'001}, Shape{1, 70'001}, Shape{3, 1}, Shape{1}, Shape{}}) {
    const Tensor small = Numbers(DataType::kFp32, other);
    const ValueType result{DataType::kFp32, shape};
    ExpectSame(MakeNode(Operator::kSub), result, {&large, &small});
    ExpectSame(MakeNode(Operator::kDiv), result, {&small, &large});
    const Tensor middle = Numbers(DataType::kFp32, {2, 1, 70'001});
    ExpectSame(MakeNode(Operator::kMax), result, {&middle, &small, &large});
  }
  // None of them has the shape of the result.
  const Tensor left = Numbers(DataType::kFp32, {3, 1});
  const Tensor right = Numbers(DataType::kFp32, {2, 1, 70'001});
  ExpectSame(MakeNode(Operator::kSub), {DataType::kFp32, shape},
             {&left, &right});
}

TEST(EvaluateByRowsTest, ScalesBelongToPartsOfLongRows) {
  const Shape shape = {3, 2, 70'000};
  const Tensor large = Numbers(DataType::kInt8, shape);
  for (std::int64_t axis = 0; axis < 3; ++axis) {
    const Shape size = {shape[static_cast<std::size_t>(axis)]};
    const Tensor scale = Numbers(DataType::kFp32, size);
    const Tensor zero = Numbers(DataType::kInt8, size);
    ExpectSame(MakeNode(Operator::kDequantizeLinear, {{"axis", axis}}),
               {DataType::kFp32, shape}, {&large, &scale, &zero});
  }
}

TEST(EvaluateByRowsTest, ResultTakesTheMemoryOfAnInput) {
  const ValueType result{DataType::kFp32, {3, 70'000}};
  const Tensor column = Numbers(DataType::kFp32, {3, 1});
  const Tensor large = Numbers(DataType::kFp32, result.shape);
  // Read once, or twice by the same node.
  for (const Tensor* other : {&column, &large}) {
    Tensor spare = large.Clone();
    const void* const memory = spare.bytes().data();
    const Node node = MakeNode(Operator::kMul);
    const Tensor* const left = other == &large ? &spare : other;
    const auto whole = EvaluateNode(node, std::span(&result, 1),
                                    std::vector<const Tensor*>{other, &large});
    const auto pieces =
        EvaluateByRows(node, std::span(&result, 1),
                       std::vector<const Tensor*>{left, &spare}, &spare);
    ASSERT_TRUE(pieces.ok()) << pieces.status();
    ASSERT_TRUE(whole.ok()) << whole.status();
    EXPECT_EQ((*pieces)[0].bytes().data(), memory);
    EXPECT_TRUE(std::ranges::equal((*pieces)[0].bytes(), (*whole)[0].bytes()));
  }
}

// Evaluates with the `index`th input as spare, and compares the bytes.
void ExpectSameInPlace(const Node& node, const ValueType& result,
                       std::vector<const Tensor*> inputs, std::size_t index) {
  const auto whole = EvaluateNode(node, std::span(&result, 1), inputs);
  ASSERT_TRUE(whole.ok()) << whole.status();
  Tensor spare = inputs[index]->Clone();
  const void* const memory = spare.bytes().data();
  inputs[index] = &spare;
  const auto pieces =
      EvaluateByRows(node, std::span(&result, 1), inputs, &spare);
  ASSERT_TRUE(pieces.ok()) << pieces.status();
  EXPECT_EQ((*pieces)[0].bytes().data(), memory);
  EXPECT_TRUE(std::ranges::equal((*pieces)[0].bytes(), (*whole)[0].bytes()));
}

TEST(EvaluateByRowsTest, ResultTakesTheMemoryOfAnyInput) {
  const Shape row = {200'000};
  const Tensor quantized = Numbers(DataType::kInt8, row);
  const Tensor scale = Numbers(DataType::kFp32, row);
  const Tensor zero(DataType::kInt8, row);
  ExpectSameInPlace(
      MakeNode(Operator::kDequantizeLinear, {{"axis", std::int64_t{0}}}),
      {DataType::kFp32, row}, {&quantized, &scale, &zero}, 1);
  ExpectSameInPlace(
      MakeNode(Operator::kQuantizeLinear, {{"axis", std::int64_t{0}}}),
      {DataType::kInt8, row}, {&scale, &scale, &zero}, 2);
  Tensor condition(DataType::kBool, kLarge);
  for (std::size_t i = 0; i < condition.bytes().size(); i += 3) {
    condition.bytes()[i] = std::byte{1};
  }
  Tensor column(DataType::kBool, {509, 1});
  column.bytes()[7] = std::byte{1};
  const Tensor large(DataType::kBool, kLarge);
  const ValueType truths{DataType::kBool, kLarge};
  for (const std::size_t index : {std::size_t{0}, std::size_t{1}}) {
    ExpectSameInPlace(MakeNode(Operator::kWhere), truths,
                      {&condition, &large, &column}, index);
  }
  const Tensor numbers = Numbers(DataType::kFp32, kLarge);
  const Tensor most = FromDoubles(DataType::kFp32, {}, std::vector<double>{50});
  ExpectSameInPlace(MakeNode(Operator::kClip, {{"min", 3.0F}, {"max", 70.0F}}),
                    {DataType::kFp32, kLarge}, {&numbers, nullptr, &most}, 0);
}

TEST(EvaluateByRowsTest, OtherOperatorsAreEvaluatedWhole) {
  const Tensor large = Numbers(DataType::kFp32, kLarge);
  ExpectSame(MakeNode(Operator::kTranspose,
                      {{"perm", std::vector<std::int64_t>{1, 0}}}),
             {DataType::kFp32, {211, 509}}, {&large});
}

TEST(EvaluateByRowsTest, ErrorsAreThoseOfTheNode) {
  const Tensor large = Numbers(DataType::kInt32, kLarge);
  const Tensor zero(DataType::kInt32, {});
  const ValueType result{DataType::kInt32, kLarge};
  const std::vector<const Tensor*> inputs{&large, &zero};
  const Node node = MakeNode(Operator::kDiv);
  const auto pieces = EvaluateByRows(node, std::span(&result, 1), inputs);
  EXPECT_EQ(pieces.status(),
            EvaluateNode(node, std::span(&result, 1), inputs).status());
  EXPECT_EQ(pieces.status().code(), kInvalid);
}

}  // namespace
}  // namespace relu
