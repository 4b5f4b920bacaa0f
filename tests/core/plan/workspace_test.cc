#include "core/plan/workspace.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/plan/compiled_model.h"
#include "tests/core/plan/plan_runner.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

// y = relu(x), with rows of three values.
CompiledModel ReluModel() {
  GraphBuilder builder;
  builder.Output(builder.Unary(Operator::kRelu, builder.Input("x", {3})));
  return CompileOrDie(builder.Build());
}

const std::byte* BytesOf(const std::vector<float>& values) {
  return reinterpret_cast<const std::byte*>(values.data());
}

TEST(WorkspaceTest, RowsStartOnCacheLines) {
  const CompiledModel model = ReluModel();
  Workspace workspace(model, /*max_rows=*/3);
  for (std::int64_t row = 0; row < 3; ++row) {
    const auto address =
        reinterpret_cast<std::uintptr_t>(workspace.Row<float>(0, row));
    EXPECT_EQ(address % 64, 0U);
  }
}

TEST(WorkspaceTest, CopyInAndOutMoveRowsWithoutGaps) {
  const CompiledModel model = ReluModel();
  Workspace workspace(model, /*max_rows=*/4);
  const std::vector<float> first{1, -2, 3};
  const std::vector<float> rest{4, 5, -6, -7, 8, 9};
  workspace.CopyIn(0, /*first_row=*/0, /*rows=*/1, BytesOf(first));
  workspace.CopyIn(0, /*first_row=*/1, /*rows=*/2, BytesOf(rest));
  model.Run(3, workspace);
  std::vector<float> output(6);
  workspace.CopyOut(0, /*first_row=*/1, /*rows=*/2,
                    reinterpret_cast<std::byte*>(output.data()));
  EXPECT_THAT(output, ElementsAre(4, 5, 0, 0, 8, 9));
}

TEST(WorkspaceTest, ColumnsAreCopiedOnceOrForEachRow) {
  const CompiledModel model = ReluModel();
  Workspace workspace(model, /*max_rows=*/3);
  const std::vector<float> own{1, 0, 2, 0, 3, 0};
  const std::vector<float> shared{8, 9};
  workspace.CopyColumnsIn(0, /*first_row=*/0, /*rows=*/3,
                          {.offset_bytes = 8,
                           .bytes = 4,
                           .source = BytesOf(own),
                           .source_stride_bytes = 8});
  workspace.CopyColumnsIn(0, /*first_row=*/0, /*rows=*/3,
                          {.offset_bytes = 0,
                           .bytes = 8,
                           .source = BytesOf(shared),
                           .source_stride_bytes = 0});
  model.Run(3, workspace);
  std::vector<float> output(9);
  workspace.CopyOut(0, 0, 3, reinterpret_cast<std::byte*>(output.data()));
  EXPECT_THAT(output, ElementsAre(8, 9, 1, 8, 9, 2, 8, 9, 3));
}

TEST(WorkspaceTest, RowsThatAreAlikeAreKnownUntilForgotten) {
  const CompiledModel model = ReluModel();
  Workspace workspace(model, /*max_rows=*/9);
  workspace.NoteAlike(/*first_row=*/1, /*rows=*/2);
  workspace.NoteAlike(4, 5);
  ASSERT_EQ(workspace.alike().size(), 2U);
  EXPECT_EQ(workspace.alike()[1].begin, 4);
  EXPECT_EQ(workspace.alike()[1].end, 9);
  workspace.ForgetAlike();
  EXPECT_TRUE(workspace.alike().empty());
}

TEST(WorkspaceTest, RowsOfEverySizeAreCopied) {
  for (std::int64_t size = 1; size <= 20; ++size) {
    GraphBuilder builder;
    builder.Output(builder.Unary(Operator::kRelu, builder.Input("x", {size})));
    const CompiledModel model = CompileOrDie(builder.Build());
    std::vector<float> values(static_cast<std::size_t>(5 * size));
    std::iota(values.begin(), values.end(), 1.0F);
    Workspace workspace(model, /*max_rows=*/5);
    workspace.CopyIn(0, 0, 5, BytesOf(values));
    model.Run(5, workspace);
    std::vector<float> output(values.size());
    workspace.CopyOut(0, 0, 5, reinterpret_cast<std::byte*>(output.data()));
    EXPECT_EQ(output, values) << size;
  }
}

TEST(WorkspaceTest, CopyInTakesUnalignedSource) {
  const CompiledModel model = ReluModel();
  Workspace workspace(model, /*max_rows=*/1);
  const std::vector<float> values{1, 2, 3};
  std::vector<std::byte> unaligned(13);
  std::memcpy(unaligned.data() + 1, values.data(), 12);
  workspace.CopyIn(0, 0, 1, unaligned.data() + 1);
  EXPECT_EQ(workspace.Row<float>(0, 0)[2], 3.0F);
}

TEST(WorkspaceTest, FaultNamesTheFirstReasonOfARow) {
  const CompiledModel model = ReluModel();
  Workspace workspace(model, /*max_rows=*/4);
  const std::string reason = "too bad";
  const std::string second = "never shown";
  workspace.SetFault(2, reason);
  workspace.SetFault(2, second);
  const std::optional<RowFault> fault = workspace.Fault(1, 3);
  ASSERT_TRUE(fault.has_value());
  EXPECT_EQ(fault->row, 2);
  EXPECT_EQ(fault->reason, "too bad");
  EXPECT_FALSE(workspace.Fault(0, 2).has_value());
  EXPECT_FALSE(workspace.Fault(3, 1).has_value());
}

TEST(WorkspaceTest, RunClearsFaultsOfTheRunBefore) {
  const CompiledModel model = ReluModel();
  Workspace workspace(model, /*max_rows=*/1);
  const std::string reason = "too bad";
  workspace.SetFault(0, reason);
  model.Run(1, workspace);
  EXPECT_FALSE(workspace.Fault(0, 1).has_value());
}

}  // namespace
}  // namespace relu
