#include "client/cli/model_rows.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/cli/row_source.h"
#include "core/graph/graph.h"
#include "core/graph/onnx_import.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"

namespace relu {
namespace {

using ::testing::HasSubstr;

TEST(ModelRowsTest, ColumnsOfAFileAreTheElementsOfTheInputs) {
  const auto graph = ImportOnnx("deploy/models/credit_embed/1/model.onnx");
  ASSERT_TRUE(graph.ok()) << graph.status();
  RowOptions options;
  options.input = "deploy/models/credit_embed/rows.csv";
  options.label = "last";
  const auto rows = ReadModelRows(options, *graph);
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->inputs.size(), 2U);
  EXPECT_EQ(rows->inputs[0].type(), DataType::kFp32);
  EXPECT_EQ(rows->inputs[0].shape(), (Shape{200, 9}));
  EXPECT_EQ(rows->inputs[1].type(), DataType::kInt64);
  EXPECT_EQ(rows->inputs[1].shape(), (Shape{200, 4}));
  ASSERT_EQ(rows->columns.size(), 13U);
  EXPECT_EQ(rows->columns[0], "Seniority");
}

TEST(ModelRowsTest, FileThatDoesNotFitIsRefusedByName) {
  const auto graph = ImportOnnx("deploy/models/credit_embed/1/model.onnx");
  ASSERT_TRUE(graph.ok()) << graph.status();
  RowOptions options;
  options.input = "deploy/models/credit_embed/rows.csv";
  const auto rows = ReadModelRows(options, *graph);
  EXPECT_EQ(rows.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(rows.status().message()), HasSubstr("rows.csv"));
}

}  // namespace
}  // namespace relu
