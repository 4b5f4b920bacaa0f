#include "core/relu/leaf_rows.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/relu/integer_source.h"
#include "core/relu/piecewise_network.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"
#include "tests/core/relu/relu_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Floats x [2], and entries of a table by integers c [2], added up.
PiecewiseNetwork TwoInputs() {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const ValueId c = builder.Input("c", {2}, DataType::kInt64);
  const ValueId table = builder.Constant(FloatTensor({3}, {10, 20, 30}));
  const ValueId entries =
      builder.Node(Operator::kGather, {table, c}, {.row_shape = {2}},
                   {{"axis", std::int64_t{0}}});
  builder.Output(builder.Binary(Operator::kAdd, x, entries));
  return LowerOrDie(builder.Build());
}

std::vector<Tensor> Tensors(Tensor x, Tensor c) {
  std::vector<Tensor> tensors;
  tensors.push_back(std::move(x));
  tensors.push_back(std::move(c));
  return tensors;
}

TEST(LeafRowsTest, ElementsOfAllInputsStandRowByRow) {
  const auto read = ReadInputRows(TwoInputs(),
                                  Tensors(FloatTensor({2, 2}, {1, 2, 3, 4}),
                                          Int64Tensor({2, 2}, {0, 1, 2, 0})),
                                  "input");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->rows, 2);
  EXPECT_THAT(read->elements, ElementsAre(1, 2, 0, 1, 3, 4, 2, 0));
}

TEST(LeafRowsTest, TablesGiveTheirEntries) {
  const PiecewiseNetwork network = TwoInputs();
  std::vector<float> row(network.row_floats);
  const std::vector<double> elements = {1, 2, 1, -1};
  ASSERT_TRUE(FillLeaves(network, elements, row.data()).ok());
  EXPECT_EQ(row[network.leaves[0].slot.offset + 1], 2);
  EXPECT_EQ(row[network.leaves[1].slot.offset], 20);
  EXPECT_EQ(row[network.leaves[1].slot.offset + 1], 30);
}

TEST(LeafRowsTest, IndexOutsideOfTheTableIsAnError) {
  const PiecewiseNetwork network = TwoInputs();
  std::vector<float> row(network.row_floats);
  for (const double index : {3.0, -4.0, 1e300}) {
    const absl::Status status =
        FillLeaves(network, std::vector<double>{1, 2, index, 0}, row.data());
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(status.message(), HasSubstr("3 entries"));
  }
}

TEST(LeafRowsTest, IntegerThatNoFloatHoldsIsAnError) {
  PiecewiseNetwork network;
  Leaf& leaf = network.leaves.emplace_back();
  leaf.kind = Leaf::Kind::kInteger;
  leaf.slot = {.offset = 0, .size = 1};
  leaf.sources = {ElementSource(0, DataType::kInt64)};
  float value = 0.0F;
  EXPECT_TRUE(FillLeaves(network, std::vector<double>{0x1p53}, &value).ok());
  EXPECT_EQ(value, 0x1p53F);
  const absl::Status status =
      FillLeaves(network, std::vector<double>{0x1p54}, &value);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("beyond 2^53"));
}

TEST(LeafRowsTest, WrongTensorsAreNamed) {
  const PiecewiseNetwork network = TwoInputs();
  const auto message = [&](const std::vector<Tensor>& tensors) {
    const auto read = ReadInputRows(network, tensors, "baseline");
    EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(read.status().message());
  };
  EXPECT_THAT(message(Tensors(FloatTensor({1, 3}, {1, 2, 3}),
                              Int64Tensor({1, 2}, {0, 0}))),
              HasSubstr("baseline \"x\": FP32 [1,3], model wants FP32 [1,2]"));
  EXPECT_THAT(message(Tensors(FloatTensor({1, 2}, {1, 2}),
                              FloatTensor({1, 2}, {0, 0}))),
              HasSubstr("\"c\": FP32 [1,2], model wants INT64 [1,2]"));
  EXPECT_THAT(message(Tensors(FloatTensor({1, 2}, {1, 2}),
                              Int64Tensor({2, 2}, {0, 0, 0, 0}))),
              HasSubstr("\"c\": INT64 [2,2]"));
  EXPECT_THAT(message(std::vector<Tensor>()),
              HasSubstr("0 tensors, model wants 2"));
}

TEST(LeafRowsTest, NamedRowsComeInAnyOrder) {
  const std::vector<std::int64_t> shape = {1, 2};
  const std::vector<double> x = {0.1, 2};
  const std::vector<double> c = {1, 2};
  const std::vector<NamedRows> named = {{"c", shape, c}, {"x", shape, x}};
  const auto read = ReadInputRows(TwoInputs(), named, "input");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->rows, 1);
  EXPECT_THAT(read->elements, ElementsAre(double{0.1F}, 2, 1, 2));
}

TEST(LeafRowsTest, WrongNamedRowsAreRefused) {
  const std::vector<std::int64_t> shape = {1, 2};
  const std::vector<double> good = {1, 2};
  const std::vector<double> half = {0.5, 2};
  const std::vector<double> few = {1};
  const std::vector<double> zeros(4);
  const std::vector<double> bad = {1, INFINITY};
  const auto message = [&](const std::vector<NamedRows>& named) {
    const auto read = ReadInputRows(TwoInputs(), named, "input");
    EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(read.status().message());
  };
  const NamedRows x{"x", shape, good};
  const NamedRows c{"c", shape, good};
  EXPECT_THAT(message({x}),
              HasSubstr("\"c\" is missing, model wants INT64 [-1,2]"));
  EXPECT_THAT(message({x, x, c}), HasSubstr("\"x\" is there twice"));
  EXPECT_THAT(message({x, c, {"d", shape, good}}),
              HasSubstr("3 inputs, model has 2"));
  EXPECT_THAT(message({x, {"c", shape, half}}), HasSubstr("not of type INT64"));
  EXPECT_THAT(message({{"x", shape, few}, c}),
              HasSubstr("1 numbers for the shape [1,2]"));
  EXPECT_THAT(message({{"x", shape, bad}, c}), HasSubstr("element 1 is inf"));
  EXPECT_THAT(message({x, {"c", shape, bad}}), HasSubstr("element 1 is inf"));
  const std::vector<std::int64_t> two = {2, 2};
  const std::vector<double> large = {1, 2, 3, 1e300};  // For a float.
  EXPECT_THAT(message({{"x", two, large}, {"c", two, zeros}}),
              HasSubstr("row 1, element 1 is inf"));
  EXPECT_THAT(message({x, {"c", two, zeros}}),
              HasSubstr("\"c\": INT64 [2,2], model wants INT64 [1,2]"));
}

TEST(LeafRowsTest, ValuesThatAreNotFiniteAreNamed) {
  const auto read =
      ReadInputRows(TwoInputs(),
                    Tensors(FloatTensor({2, 2}, {1, 2, 3, INFINITY}),
                            Int64Tensor({2, 2}, {0, 0, 0, 0})),
                    "input");
  EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(read.status().message(), HasSubstr("row 1, element 1 is inf"));
}

}  // namespace
}  // namespace relu
