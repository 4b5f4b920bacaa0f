// Run() takes no memory: operator new is replaced by one that counts.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <vector>

#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/plan/compiled_model.h"
#include "core/plan/workspace.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"
#include "tests/core/plan/plan_runner.h"
#include "tests/support/graph_builder.h"

namespace {

// Calls of operator new so far. Relaxed: the test has one thread.
std::atomic<std::int64_t> allocations{0};

}  // namespace

// Not inlined: else GCC sees malloc() and delete, or new and free(), as a
// mistaken pair.
[[gnu::noinline]] void* operator new(std::size_t size_bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  void* memory = std::malloc(size_bytes == 0 ? 1 : size_bytes);
  if (memory == nullptr) {
    std::abort();
  }
  return memory;
}

// std::stable_sort() asks in this way.
[[gnu::noinline]] void* operator new(std::size_t size_bytes,
                                     const std::nothrow_t&) noexcept {
  return operator new(size_bytes);
}

[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}

[[gnu::noinline]] void operator delete(void* memory,
                                       std::size_t /*size_bytes*/) noexcept {
  std::free(memory);
}

namespace relu {
namespace {

// Has every kind of step.
CompiledModel EveryStep() {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2, 3}, DataType::kFp16);
  const ValueId i = builder.Input("i", {1}, DataType::kInt64);
  const ValueId table = builder.Constant(FloatTensor({2, 2}, {1, 2, 3, 4}));
  const ValueId w =
      builder.Constant(FloatTensor({3, 3}, {1, 0, 1, 0, 1, 0, 1, 0, 1}));
  const ValueId single = builder.Node(
      Operator::kCast, {x}, {.row_shape = {2, 3}, .type = DataType::kFp32});
  const ValueId h =
      builder.Unary(Operator::kSigmoid, builder.MatMul(single, w));
  const ValueId soft = builder.Softmax(builder.Softmax(h, 2), 1);
  const ValueId turned =
      builder.Node(Operator::kTranspose, {soft}, {.row_shape = {3, 2}},
                   {{"perm", std::vector<std::int64_t>{0, 2, 1}}});
  const ValueId entry =
      builder.Node(Operator::kGather, {table, i}, {.row_shape = {1, 2}},
                   {{"axis", std::int64_t{0}}});
  const ValueId sum = builder.Binary(Operator::kAdd, turned, entry);
  const ValueId all =
      builder.Node(Operator::kConcat, {sum, entry}, {.row_shape = {4, 2}},
                   {{"axis", std::int64_t{1}}});
  builder.Output(builder.Node(Operator::kArgMax, {all},
                              {.row_shape = {4}, .type = DataType::kInt64},
                              {{"axis", std::int64_t{2}},
                               {"keepdims", std::int64_t{0}},
                               {"select_last_index", std::int64_t{0}}}));
  return CompileOrDie(builder.Build());
}

TEST(NoAllocationTest, RunTakesNoMemoryEvenWhenARowIsFaulty) {
  constexpr std::int64_t kRows = 5;
  const CompiledModel model = EveryStep();
  Workspace workspace(model, kRows);
  const Tensor x(DataType::kFp16, {kRows, 2, 3});
  const Tensor indices = Int64Tensor({kRows, 1}, {0, 1, 9, -1, -2});
  Tensor labels(DataType::kInt64, {kRows, 4});
  const std::int64_t before = allocations.load();
  workspace.CopyIn(0, 0, kRows, x.bytes().data());
  workspace.CopyIn(1, 0, kRows, indices.bytes().data());
  model.Run(kRows, workspace);
  model.Run(1, workspace);
  model.Run(kRows, workspace);
  workspace.CopyOut(0, 0, kRows, labels.bytes().data());
  const bool two_good = !workspace.Fault(0, 2).has_value();
  const std::int64_t after = allocations.load();
  EXPECT_EQ(after, before);
  EXPECT_TRUE(two_good);
  EXPECT_TRUE(workspace.Fault(2, 1).has_value());
}

TEST(NoAllocationTest, CounterCountsWhenMemoryIsTaken) {
  const std::int64_t before = allocations.load();
  const auto memory = std::make_unique<std::vector<int>>(100);
  EXPECT_EQ(memory->size(), 100U);
  EXPECT_GE(allocations.load(), before + 2);
}

}  // namespace
}  // namespace relu
