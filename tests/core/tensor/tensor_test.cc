#include "core/tensor/tensor.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

#include "gtest/gtest.h"

namespace relu {
namespace {

TEST(TensorTest, DefaultHasNoElements) {
  const Tensor tensor;

  EXPECT_EQ(tensor.element_count(), 0);
  EXPECT_EQ(tensor.shape(), Shape{0});
  EXPECT_TRUE(tensor.bytes().empty());
}

TEST(TensorTest, ElementsStartAsZero) {
  const Tensor tensor(DataType::kFp32, {2, 3});

  EXPECT_EQ(tensor.type(), DataType::kFp32);
  EXPECT_EQ(tensor.shape(), (Shape{2, 3}));
  EXPECT_EQ(tensor.element_count(), 6);
  EXPECT_EQ(tensor.bytes().size(), 24U);
  EXPECT_TRUE(std::ranges::all_of(tensor.As<float>(),
                                  [](float value) { return value == 0; }));
}

TEST(TensorTest, ScalarHasOneElement) {
  const Tensor tensor(DataType::kInt64, {});

  EXPECT_EQ(tensor.element_count(), 1);
  EXPECT_EQ(tensor.As<std::int64_t>().size(), 1U);
}

TEST(TensorTest, TensorWithoutRowsHasNoBytes) {
  const Tensor tensor(DataType::kFp64, {0, 4});

  EXPECT_EQ(tensor.element_count(), 0);
  EXPECT_TRUE(tensor.As<double>().empty());
}

TEST(TensorTest, TensorWithoutElementsHasItsShapeAlone) {
  const Tensor tensor =
      Tensor::WithoutElements(DataType::kFp32, {1 << 20, 1 << 20});

  EXPECT_EQ(tensor.type(), DataType::kFp32);
  EXPECT_EQ(tensor.shape(), (Shape{1 << 20, 1 << 20}));
  EXPECT_EQ(tensor.element_count(), std::int64_t{1} << 40);
  EXPECT_TRUE(tensor.bytes().empty());
}

TEST(TensorTest, AsWritesTheElements) {
  Tensor tensor(DataType::kInt32, {3});

  tensor.As<std::int32_t>()[2] = -7;

  EXPECT_EQ(std::as_const(tensor).As<std::int32_t>()[2], -7);
  EXPECT_EQ(tensor.bytes()[8], std::byte{0xF9});
}

TEST(TensorTest, ReshapeKeepsTheElements) {
  Tensor tensor(DataType::kFp32, {2, 3});
  tensor.As<float>()[5] = 1.5F;

  tensor.Reshape({3, 2});

  EXPECT_EQ(tensor.shape(), (Shape{3, 2}));
  EXPECT_EQ(tensor.As<float>()[5], 1.5F);
}

TEST(TensorTest, CloneIsAnotherTensorWithTheSameContent) {
  Tensor tensor(DataType::kUint8, {2, 2});
  tensor.As<std::uint8_t>()[3] = 9;

  const Tensor clone = tensor.Clone();
  tensor.As<std::uint8_t>()[3] = 1;

  EXPECT_EQ(clone.type(), DataType::kUint8);
  EXPECT_EQ(clone.shape(), (Shape{2, 2}));
  EXPECT_EQ(clone.As<std::uint8_t>()[3], 9);
}

TEST(TensorTest, MoveTakesTheElements) {
  Tensor tensor(DataType::kFp32, {4});
  const std::byte* memory = tensor.bytes().data();

  const Tensor moved = std::move(tensor);

  EXPECT_EQ(moved.bytes().data(), memory);
  EXPECT_EQ(moved.shape(), Shape{4});
}

TEST(TensorDeathTest, BrokenPromisesStopTheProcess) {
  Tensor tensor(DataType::kFp32, {2, 3});

  EXPECT_DEATH(tensor.Reshape({7}), "CHECK failed");
  EXPECT_DEATH(tensor.Reshape({-2, -3}), "CHECK failed");
  EXPECT_DEATH(tensor.As<double>(), "CHECK failed");
  EXPECT_DEATH(Tensor(DataType::kFp32, {-1}), "CHECK failed");
  // Its count fits 63 bits, its bytes do not fit 64.
  EXPECT_DEATH(
      Tensor(DataType::kFp64, {std::numeric_limits<std::int64_t>::max()}),
      "CHECK failed");
}

}  // namespace
}  // namespace relu
