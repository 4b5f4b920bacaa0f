#include "client/cli/npy_reader.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/cli/rows.h"
#include "core/base/file.h"
#include "core/tensor/data_type.h"
#include "tests/client/cli/cli_support.h"

namespace relu {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string NpyError(std::string_view bytes) {
  const absl::Status status = ReadNpy(bytes).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

// The rows of a [2,2] array for an input of `type` and two elements.
absl::StatusOr<RowTensor> Convert(const std::string& file, DataType type,
                                  std::vector<std::string>& notes) {
  return ToRows(ReadNpy(file).value(), Input("x", type, {2}), notes);
}

TEST(NpyReaderTest, ArrayOfNumpyIsRead) {
  const std::string file =
      ReadFile("tests/testdata/models/iris_argmax/inputs/input.npy", 1 << 20)
          .value();
  const NpyArray array = ReadNpy(file).value();
  EXPECT_EQ(array.type, DataType::kFp32);
  EXPECT_THAT(array.shape, ElementsAre(30, 4));
  EXPECT_EQ(array.elements.size(), 30U * 4 * sizeof(float));
}

TEST(NpyReaderTest, EveryTypeOfNumbersIsKnown) {
  const std::vector<std::pair<const char*, DataType>> types = {
      {"|b1", DataType::kBool},   {"|u1", DataType::kUint8},
      {"<u2", DataType::kUint16}, {"<u4", DataType::kUint32},
      {"<u8", DataType::kUint64}, {"|i1", DataType::kInt8},
      {"<i2", DataType::kInt16},  {"<i4", DataType::kInt32},
      {"<i8", DataType::kInt64},  {"<f2", DataType::kFp16},
      {"<f4", DataType::kFp32},   {"<f8", DataType::kFp64}};
  for (const auto& [descr, type] : types) {
    const std::string file =
        NpyBytes(descr, "(1,)", std::string(DataTypeSize(type), '\0'));
    EXPECT_EQ(ReadNpy(file)->type, type) << descr;
  }
}

TEST(NpyReaderTest, ShapesOfAnyRankAreRead) {
  EXPECT_THAT(ReadNpy(NpyBytes("|u1", "()", "a"))->shape, IsEmpty());
  EXPECT_THAT(ReadNpy(NpyBytes("|u1", "(3,)", "abc"))->shape, ElementsAre(3));
  EXPECT_THAT(ReadNpy(NpyBytes("|u1", "(1, 3, 2)", "abcdef"))->shape,
              ElementsAre(1, 3, 2));
  EXPECT_THAT(ReadNpy(NpyBytes("<f4", "(0, 5)", ""))->shape, ElementsAre(0, 5));
}

TEST(NpyReaderTest, LaterVersionsHaveALongerSize) {
  std::string file = NpyBytes("|u1", "(1,)", "a");
  file[6] = 2;
  file.insert(10, 2, '\0');
  EXPECT_TRUE(ReadNpy(file).ok());
}

TEST(NpyReaderTest, ColumnsFirstAreRefusedUnlessThereIsOneDimension) {
  EXPECT_THAT(NpyError(NpyBytes("|u1", "(2, 2)", "abcd", "True")),
              HasSubstr("ascontiguousarray"));
  EXPECT_TRUE(ReadNpy(NpyBytes("|u1", "(2,)", "ab", "True")).ok());
}

TEST(NpyReaderTest, OtherTypesAreRefused) {
  EXPECT_THAT(NpyError(NpyBytes(">f4", "(1,)", "abcd")), HasSubstr("'>f4'"));
  EXPECT_THAT(NpyError(NpyBytes("<U3", "(1,)", "abcd")), HasSubstr("'<U3'"));
  EXPECT_THAT(NpyError(NpyBytes("|O", "(1,)", "abcd")), HasSubstr("'|O'"));
}

TEST(NpyReaderTest, BrokenFilesAreRefused) {
  const std::string good = NpyBytes("<f4", "(1,)", "abcd");
  // Cut anywhere: in the magic, the version, the size, the header, the data.
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_THAT(NpyError(good.substr(0, size)), HasSubstr("not a .npy file"));
  }
  EXPECT_THAT(NpyError(good + "x"), HasSubstr("but 5 bytes"));
  EXPECT_THAT(NpyError(NpyBytes("<f4", "(1, x)", "abcd")), HasSubstr("shape"));
  EXPECT_THAT(NpyError(NpyBytes("<f4", "(-1,)", "abcd")), HasSubstr("[-1]"));
  EXPECT_THAT(NpyError(NpyBytes("<f8", "(2305843009213693952,)", "")),
              HasSubstr("but 0 bytes"));
  EXPECT_THAT(NpyError(NpyBytes("<f4", "7", "abcd")), HasSubstr("shape"));
  std::string version = good;
  version[6] = 9;
  EXPECT_THAT(NpyError(version), HasSubstr("version 9"));
}

TEST(NpyReaderTest, RowsOfTheSameTypeKeepTheirBytes) {
  std::vector<std::string> notes;
  const std::string elements = BytesOf<float>({1, 2, 3, 4});
  const auto rows =
      Convert(NpyBytes("<f4", "(2, 2)", elements), DataType::kFp32, notes);
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->name, "x");
  EXPECT_THAT(rows->row_shape, ElementsAre(2));
  EXPECT_THAT(Elements<float>(rows->bytes), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(notes, IsEmpty());
}

TEST(NpyReaderTest, RowsTakeTheShapeOfTheModel) {
  std::vector<std::string> notes;
  const std::string file =
      NpyBytes("<f4", "(1, 2, 2)", BytesOf<float>({1, 2, 3, 4}));
  const auto rows =
      ToRows(ReadNpy(file).value(), Input("x", DataType::kFp32, {4}), notes);
  EXPECT_THAT(rows->row_shape, ElementsAre(4));
}

TEST(NpyReaderTest, RowsKeepTheirShapeWhenTheModelTakesAny) {
  std::vector<std::string> notes;
  const std::string file =
      NpyBytes("<f4", "(1, 2, 2)", BytesOf<float>({1, 2, 3, 4}));
  const auto rows = ToRows(ReadNpy(file).value(),
                           Input("x", DataType::kFp32, {-1, 2}), notes);
  EXPECT_THAT(rows->row_shape, ElementsAre(2, 2));
}

TEST(NpyReaderTest, WiderFloatsAreRoundedAndNoted) {
  std::vector<std::string> notes;
  const auto rows =
      Convert(NpyBytes("<f8", "(2, 2)", BytesOf<double>({1, 2, 3, 0.1})),
              DataType::kFp32, notes);
  EXPECT_THAT(Elements<float>(rows->bytes), ElementsAre(1, 2, 3, 0.1F));
  EXPECT_THAT(notes, ElementsAre("input \"x\": FP64 rounded to FP32"));
}

TEST(NpyReaderTest, ExactConversionsAreSilent) {
  std::vector<std::string> notes;
  const std::string ints =
      NpyBytes("<i4", "(2, 2)", BytesOf<std::int32_t>({1, -2, 3, 4}));
  EXPECT_THAT(
      Elements<std::int64_t>(Convert(ints, DataType::kInt64, notes)->bytes),
      ElementsAre(1, -2, 3, 4));
  const std::string floats =
      NpyBytes("<f4", "(2, 2)", BytesOf<float>({1, 2, 3, 4}));
  EXPECT_THAT(Elements<double>(Convert(floats, DataType::kFp64, notes)->bytes),
              ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(notes, IsEmpty());
}

TEST(NpyReaderTest, ImpossibleConversionsAreRefused) {
  std::vector<std::string> notes;
  const std::string floats =
      NpyBytes("<f4", "(2, 2)", BytesOf<float>({1, 2, 3, 4}));
  EXPECT_EQ(Convert(floats, DataType::kInt64, notes).status().message(),
            "input \"x\": the file holds FP32, model wants INT64");
  const std::string ints =
      NpyBytes("<i4", "(2, 2)", BytesOf<std::int32_t>({1, 300, 3, 4}));
  EXPECT_EQ(Convert(ints, DataType::kInt8, notes).status().message(),
            "input \"x\": 300 is out of range of INT8");
}

TEST(NpyReaderTest, RowsOfAnotherSizeAreRefused) {
  std::vector<std::string> notes;
  const std::string file =
      NpyBytes("<f4", "(2, 3)", BytesOf<float>({1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(Convert(file, DataType::kFp32, notes).status().message(),
            "input \"x\": shape [2,3], model wants [-1,2]");
  EXPECT_EQ(Convert(NpyBytes("<f4", "()", "abcd"), DataType::kFp32, notes)
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace relu
