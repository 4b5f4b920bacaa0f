#include "tests/support/npy.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

// A file of format 1.0 in the test's own temporary folder.
std::filesystem::path WriteNpy(std::string_view name, std::string_view header,
                               std::string_view elements) {
  const std::filesystem::path path =
      std::filesystem::path(::testing::TempDir()) / name;
  std::ofstream file(path, std::ios::binary);
  file << "\x93NUMPY" << '\1' << '\0' << static_cast<char>(header.size())
       << '\0' << header << elements;
  return path;
}

TEST(NpyTest, ReadGivesTypeShapeAndElementsWhenFileIsGood) {
  const auto path =
      WriteNpy("npy_test_good.npy",
               "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 1), }\n",
               std::string_view("\1\0\0\0\2\1\0\0", 8));
  const absl::StatusOr<Tensor> tensor = ReadNpy(path);
  ASSERT_TRUE(tensor.ok()) << tensor.status();
  EXPECT_EQ(tensor->type(), DataType::kInt32);
  EXPECT_EQ(tensor->shape(), (Shape{2, 1}));
  EXPECT_THAT(tensor->As<std::int32_t>(), ElementsAre(1, 258));
}

TEST(NpyTest, ReadRefusesWhenElementsAreTooFew) {
  const auto path = WriteNpy(
      "npy_test_short.npy",
      "{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }\n", "abcd");
  EXPECT_EQ(ReadNpy(path).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(NpyTest, ReadRefusesWhenOrderIsFortran) {
  const auto path = WriteNpy(
      "npy_test_fortran.npy",
      "{'descr': '<i4', 'fortran_order': True, 'shape': (1,), }\n", "abcd");
  EXPECT_EQ(ReadNpy(path).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(NpyTest, ReadRefusesWhenMagicIsMissing) {
  const std::filesystem::path path =
      std::filesystem::path(::testing::TempDir()) / "npy_test_magic.npy";
  std::ofstream(path) << "this is not the format that is wanted";
  EXPECT_EQ(ReadNpy(path).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(NpyTest, ReadReturnsNotFoundWhenThereIsNoFile) {
  EXPECT_EQ(ReadNpy("tests/testdata/none.npy").status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace relu
