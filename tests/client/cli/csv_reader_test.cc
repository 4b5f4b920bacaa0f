#include "client/cli/csv_reader.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/cli/rows.h"
#include "core/tensor/data_type.h"
#include "tests/client/cli/cli_support.h"

namespace relu {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A model with inputs "x" of two floats and "n" of one integer.
ModelInputs CsvInputs() {
  return {.inputs = {Input("x", DataType::kFp32, {2}),
                     Input("n", DataType::kInt64, {})},
          .fixed_batch_rows = std::nullopt};
}

std::string CsvError(std::string_view text, std::string_view label = "") {
  const absl::Status status = ReadCsv(text, CsvInputs(), label).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(CsvReaderTest, ColumnsGoToTheInputsInTheirOrder) {
  const Rows rows = ReadCsv("1,2.5,3\n4,5,-6\n", CsvInputs(), "").value();
  EXPECT_EQ(rows.count, 2);
  EXPECT_EQ(rows.inputs[0].name, "x");
  EXPECT_THAT(Elements<float>(rows.inputs[0].bytes),
              ElementsAre(1.0F, 2.5F, 4.0F, 5.0F));
  EXPECT_EQ(rows.inputs[1].name, "n");
  EXPECT_THAT(Elements<std::int64_t>(rows.inputs[1].bytes), ElementsAre(3, -6));
  EXPECT_THAT(rows.labels, IsEmpty());
}

TEST(CsvReaderTest, HeaderIsSkippedWhenNotAllOfItAreNumbers) {
  EXPECT_EQ(ReadCsv("0,1,n\n1,2,3\n", CsvInputs(), "")->count, 1);
  EXPECT_EQ(ReadCsv("0,1,2\n1,2,3\n", CsvInputs(), "")->count, 2);
}

TEST(CsvReaderTest, HeaderAloneGivesNoRows) {
  EXPECT_EQ(ReadCsv("a,b,c\n", CsvInputs(), "")->count, 0);
}

TEST(CsvReaderTest, OddButGoodTextIsRead) {
  const Rows rows =
      ReadCsv("\xEF\xBB\xBF\"a,b\",c,d\r\n\r\n 1 ,\t\"2\",+3\r\n  \n4,5,6",
              CsvInputs(), "")
          .value();
  EXPECT_EQ(rows.count, 2);
  EXPECT_THAT(Elements<float>(rows.inputs[0].bytes),
              ElementsAre(1.0F, 2.0F, 4.0F, 5.0F));
}

TEST(CsvReaderTest, LastColumnIsTheLabel) {
  const Rows rows =
      ReadCsv("1,2,3,7\n4,5,6,8\n", CsvInputs(), kLastColumn).value();
  EXPECT_THAT(rows.labels, ElementsAre(7.0, 8.0));
  EXPECT_THAT(Elements<std::int64_t>(rows.inputs[1].bytes), ElementsAre(3, 6));
}

TEST(CsvReaderTest, NamedColumnIsTheLabelWhereverItStands) {
  const Rows rows =
      ReadCsv("a,truth,b,c\n1,7,2,3\n", CsvInputs(), "truth").value();
  EXPECT_THAT(rows.labels, ElementsAre(7.0));
  EXPECT_THAT(Elements<float>(rows.inputs[0].bytes), ElementsAre(1.0F, 2.0F));
  EXPECT_THAT(Elements<std::int64_t>(rows.inputs[1].bytes), ElementsAre(3));
}

TEST(CsvReaderTest, NamesOfTheColumnsAreKeptWithoutTheLabel) {
  EXPECT_THAT(ReadCsv("a,b,y,c\n1,2,0,3\n", CsvInputs(), "y")->columns,
              ElementsAre("a", "b", "c"));
  EXPECT_TRUE(ReadCsv("1,2,0\n", CsvInputs(), "")->columns.empty());
}

TEST(CsvReaderTest, UnknownLabelIsRefused) {
  EXPECT_THAT(CsvError("a,b,c,d\n1,2,3,4\n", "e"), HasSubstr("label \"e\""));
  EXPECT_THAT(CsvError("1,2,3,4\n", "e"), HasSubstr("no header line"));
}

TEST(CsvReaderTest, NothingAtAllIsRefused) {
  EXPECT_EQ(CsvError(""), "there are no rows");
  EXPECT_EQ(CsvError("\n \n"), "there are no rows");
}

TEST(CsvReaderTest, WrongColumnCountNamesTheLineAndWhatIsWanted) {
  EXPECT_EQ(CsvError("1,2,3\n\n1,2\n"),
            "line 3: 2 columns, the model wants 3 (x: 2, n: 1)");
  EXPECT_THAT(CsvError("1,2,3,4\n"), HasSubstr("name it with --label"));
  EXPECT_THAT(CsvError("1,2,3\n", "last"),
              HasSubstr("wants 3 (x: 2, n: 1) and a label"));
}

TEST(CsvReaderTest, WrongValueNamesLineAndColumn) {
  EXPECT_EQ(CsvError("1,2,3\n1,zwei,3\n"),
            "line 2, column 2: \"zwei\" is not a number");
  EXPECT_EQ(CsvError("1,2,3\n1,,3\n"),
            "line 2, column 2: \"\" is not a number");
  EXPECT_EQ(CsvError("1,2,3.5\n"),
            "line 1, column 3: input \"n\": 3.5 is not an integer, which INT64 "
            "wants");
  EXPECT_EQ(CsvError("1,2,3,0\n1,2,3,x\n", "last"),
            "line 2, column 4: \"x\" is not a number");
}

}  // namespace
}  // namespace relu
