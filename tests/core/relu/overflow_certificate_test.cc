#include "core/relu/overflow_certificate.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/base/check.h"
#include "core/graph/elements.h"
#include "core/graph/graph.h"
#include "core/graph/onnx_import.h"
#include "core/plan/compiled_model.h"
#include "core/plan/workspace.h"
#include "core/relu/domain_rule.h"
#include "core/relu/input_domain.h"
#include "core/relu/value_bounds.h"
#include "core/tensor/float16.h"
#include "core/tensor/tensor.h"
#include "fmt/format.h"
#include "tests/core/relu/relu_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

CompiledModel CompiledOrDie(const Graph& graph) {
  absl::StatusOr<CompiledModel> model = CompiledModel::Compile(graph);
  if (!model.ok()) {
    ADD_FAILURE() << model.status();
  }
  CHECK(model.ok());
  return *std::move(model);
}

// Of the first input.
InputDomain DomainOfModel(const CompiledModel& model, std::string_view text) {
  const absl::StatusOr<std::vector<DomainRule>> parsed = ParseDomainRules(text);
  CHECK(parsed.ok());
  const InputRules rules{.input = model.inputs()[0].name, .rules = *parsed};
  absl::StatusOr<InputDomain> domain =
      InputDomain::Create({&rules, 1}, model.inputs());
  if (!domain.ok()) {
    ADD_FAILURE() << domain.status();
  }
  CHECK(domain.ok());
  return *std::move(domain);
}

OverflowCertificate Certify(const Graph& graph, std::string_view domain,
                            const CertificateOptions& options = {}) {
  return CertifyNoOverflow(graph, DomainOfModel(CompiledOrDie(graph), domain),
                           options);
}

// What is served for one row.
std::vector<double> ServedRow(const CompiledModel& model,
                              const std::vector<double>& row) {
  const TensorSignature& input = model.inputs()[0];
  const Tensor tensor =
      FromDoubles(input.type, {1, static_cast<std::int64_t>(row.size())}, row);
  Workspace workspace(model, 1);
  workspace.CopyIn(0, 0, 1, tensor.bytes().data());
  model.Run(1, workspace);
  const TensorSignature& output = model.outputs()[0];
  Shape shape = output.row_shape;
  shape.insert(shape.begin(), 1);
  Tensor answer(output.type, shape);
  workspace.CopyOut(0, 0, 1, answer.bytes().data());
  return ToDoubles(answer);
}

bool AllAreFinite(std::span<const double> values) {
  return std::ranges::all_of(values,
                             [](double value) { return std::isfinite(value); });
}

// y = w * x, of one neuron.
Graph OneWeight(float weight) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1});
  builder.Output(
      builder.MatMul(x, builder.Constant(FloatTensor({1, 1}, {weight}))));
  return builder.Build();
}

// relu(a x), then b times that.
Graph TwoWeights(float a, float b) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1});
  const ValueId hidden = builder.Unary(
      Operator::kRelu,
      builder.MatMul(x, builder.Constant(FloatTensor({1, 1}, {a}))));
  builder.Output(
      builder.MatMul(hidden, builder.Constant(FloatTensor({1, 1}, {b}))));
  return builder.Build();
}

TEST(OverflowCertificateTest, TightNetworkIsCertifiedAndItsLargestValueTold) {
  // float32 ends at 3.4028e38.
  const OverflowCertificate certificate = Certify(OneWeight(3.4e38F), "[0, 1]");
  EXPECT_TRUE(certificate.certified) << certificate.reason;
  EXPECT_EQ(certificate.reason, "");
  EXPECT_GE(certificate.largest_value, 3.3999e38);
  EXPECT_LT(certificate.largest_value, 3.4028e38);
}

TEST(OverflowCertificateTest, NetworkThatOverflowsIsNotCertified) {
  const Graph graph = TwoWeights(1e20F, 1e20F);
  ASSERT_TRUE(std::isinf(ServedRow(CompiledOrDie(graph), {1})[0]));

  const OverflowCertificate certificate = Certify(graph, "[0, 1]");

  EXPECT_FALSE(certificate.certified);
  EXPECT_THAT(certificate.reason,
              HasSubstr("a value or sum may reach 1e+40, float32 ends at "
                        "3.4e+38"));
  // The same network, of inputs that are small enough.
  EXPECT_TRUE(Certify(graph, "[-1, 1e-3]").certified);
}

TEST(OverflowCertificateTest, OverflowThatNoAnswerShowsIsNotCertified) {
  // -inf, of which Relu makes 0.
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1});
  const ValueId sum =
      builder.MatMul(x, builder.Constant(FloatTensor({1, 1}, {-3e38F})));
  builder.Output(builder.Unary(Operator::kRelu, sum));
  const Graph graph = builder.Build();
  ASSERT_EQ(ServedRow(CompiledOrDie(graph), {2})[0], 0.0);
  EXPECT_FALSE(Certify(graph, "[0, 2]").certified);
}

TEST(OverflowCertificateTest, EveryElementOfFloatsNeedsADomain) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {3});
  builder.Output(
      builder.MatMul(x, builder.Constant(FloatTensor({3, 1}, {1, 1, 1}))));
  const Graph graph = builder.Build();
  const OverflowCertificate certificate = Certify(graph, "0: 1; 2: 1");
  EXPECT_FALSE(certificate.certified);
  EXPECT_THAT(certificate.reason,
              HasSubstr("element 1 of input \"x\" has no domain"));
  EXPECT_EQ(certificate.largest_value, 0.0);
  EXPECT_FALSE(CertifyNoOverflow(graph, InputDomain()).certified);
  EXPECT_TRUE(Certify(graph, "0: 1; 2: 1; 1: [-5, 5]").certified);
}

TEST(OverflowCertificateTest, UnboundedDomainIsNotCertified) {
  EXPECT_FALSE(Certify(OneWeight(2.0F), "[0, inf]").certified);
}

// Nothing would have been looked at.
TEST(OverflowCertificateTest, IntegersAloneAreNotCertified) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  builder.Output(builder.Node(Operator::kCast, {x},
                              {.row_shape = {2}, .type = DataType::kInt64},
                              {{"to", std::int64_t{7}}}));
  const OverflowCertificate certificate = Certify(builder.Build(), "[0, 1]");
  EXPECT_FALSE(certificate.certified);
  EXPECT_THAT(certificate.reason, HasSubstr("no output is of floats"));
}

TEST(OverflowCertificateTest, WhatIsNotPiecewiseLinearIsNotCertified) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const ValueId sum =
      builder.MatMul(x, builder.Constant(FloatTensor({2, 2}, {1, 2, 3, 4})));
  builder.Output(builder.MatMul(builder.Unary(Operator::kTanh, sum),
                                builder.Constant(FloatTensor({2, 1}, {1, 2}))));
  const OverflowCertificate certificate = Certify(builder.Build(), "[0, 1]");
  EXPECT_FALSE(certificate.certified);
  EXPECT_THAT(certificate.reason, HasSubstr("Tanh"));
}

TEST(OverflowCertificateTest, OutputOfHalfPrecisionEndsEarlier) {
  const auto half = [](float weight, DataType type) {
    GraphBuilder builder;
    const ValueId x = builder.Input("x", {1});
    const ValueId sum =
        builder.MatMul(x, builder.Constant(FloatTensor({1, 1}, {weight})));
    builder.Output(builder.Node(
        Operator::kCast, {sum}, {.row_shape = {1}, .type = type},
        {{"to", std::int64_t{type == DataType::kFp16 ? 10 : 16}}}));
    return builder.Build();
  };
  EXPECT_TRUE(Certify(half(65504, DataType::kFp16), "[0, 1]").certified);
  const OverflowCertificate certificate =
      Certify(half(65530, DataType::kFp16), "[0, 1]");
  EXPECT_FALSE(certificate.certified);
  EXPECT_THAT(certificate.reason, HasSubstr("it may reach 6.55e+04, FP16"));
  EXPECT_TRUE(Certify(half(65530, DataType::kBf16), "[0, 1]").certified);
  EXPECT_FALSE(Certify(half(3.4e38F, DataType::kBf16), "[0, 1]").certified);
}

TEST(OverflowCertificateTest, LogSoftmaxSubtractsWhatMayBeFarApart) {
  const auto graph = [](float weight) {
    GraphBuilder builder;
    const ValueId x = builder.Input("x", {1});
    const ValueId logits = builder.MatMul(
        x, builder.Constant(FloatTensor({1, 2}, {weight, -weight})));
    builder.Output(builder.Node(
        Operator::kLogSoftmax, {logits}, {.row_shape = {2}},
        {{"axis", std::int64_t{1}}, {"flatten", std::int64_t{0}}}));
    return builder.Build();
  };
  EXPECT_TRUE(Certify(graph(1.6e38F), "[-1, 1]").certified);
  EXPECT_FALSE(Certify(graph(2e38F), "[-1, 1]").certified);
}

// h = relu(x), then h - h in a layer: intervals do not see that it is 0.
Graph Cancelling(float weight) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1});
  const ValueId twice =
      builder.MatMul(x, builder.Constant(FloatTensor({1, 2}, {1, 1})));
  const ValueId difference =
      builder.MatMul(twice, builder.Constant(FloatTensor({2, 1}, {1, -1})));
  builder.Output(builder.MatMul(
      difference, builder.Constant(FloatTensor({1, 1}, {weight}))));
  return builder.Build();
}

TEST(OverflowCertificateTest, CrownProvesWhatIntervalsDoNotWithinItsLimit) {
  const Graph graph = Cancelling(3e38F);
  EXPECT_TRUE(Certify(graph, "[-1, 1]").certified);
  const OverflowCertificate limited =
      Certify(graph, "[-1, 1]", {.max_multiply_adds = 5});
  EXPECT_FALSE(limited.certified);
  EXPECT_THAT(limited.reason, HasSubstr("CROWN would take"));
}

// z = 5e4 ((1 + d) h0 - h1) of h0 = x, h1 = (1 + d) x: 0, but float16 has no
// room for d.
TEST(OverflowCertificateTest, RoundingToFloat16ThatOverflowsIsNotCertified) {
  const float factor = 1 + 0x1p-12F;
  const float largest = 59968;
  const float h1 = Fp16ToFloat(FloatToFp16(factor * largest));
  ASSERT_GT(5e4F * (factor * largest - h1), 65520.0F);
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1});
  const ValueId hidden =
      builder.MatMul(x, builder.Constant(FloatTensor({1, 2}, {1, factor})));
  builder.Output(builder.MatMul(
      hidden, builder.Constant(FloatTensor({2, 1}, {5e4F * factor, -5e4F}))));
  const Graph graph = builder.Build();

  EXPECT_TRUE(Certify(graph, "[0, 6e4]").certified);
  const OverflowCertificate certificate =
      Certify(graph, "[0, 6e4]", {.values = ValueStorage::kFloat16});
  EXPECT_FALSE(certificate.certified);
  EXPECT_THAT(certificate.reason, AllOf(HasSubstr("a value may reach"),
                                        HasSubstr("float16 ends at 6.55e+04")));
  EXPECT_TRUE(
      Certify(graph, "[0, 100]", {.values = ValueStorage::kFloat16}).certified);
}

TEST(OverflowCertificateTest, RealModelIsCertifiedForItsPixels) {
  const auto graph =
      ImportOnnx("tests/testdata/models/mnist_256x128/model.onnx");
  ASSERT_TRUE(graph.ok()) << graph.status();
  const OverflowCertificate certificate = Certify(*graph, "[0, 1]");
  EXPECT_TRUE(certificate.certified) << certificate.reason;
  EXPECT_GT(certificate.largest_value, 1.0);
  EXPECT_LT(certificate.largest_value, 1e6);
}

// Of a certified network no input of the domain has an infinite answer. That
// the test can fail is seen from those that are not certified, some of which do
// overflow.
TEST(OverflowCertificateTest, CertifiedNetworksAreFiniteInTheirDomain) {
  std::mt19937 random(5);
  int certified = 0;
  int overflows = 0;
  for (std::uint32_t seed = 0; seed < 120; ++seed) {
    RandomPiecewiseNetwork drawn(seed);
    const Graph graph = drawn.Draw();
    const CompiledModel model = CompiledOrDie(graph);
    const double size = std::pow(10.0, 35.0 + seed % 4);
    const std::string domain = fmt::format("[{}, {}]", -size, size);
    const bool proven = Certify(graph, domain).certified;
    certified += proven ? 1 : 0;
    for (int i = 0; i < 64; ++i) {
      std::vector<double> row(RandomPiecewiseNetwork::kInputs);
      for (double& element : row) {
        // Half of them at the faces of the domain.
        element =
            random() % 2 == 0
                ? (random() % 2 == 0 ? size : -size)
                : size * (static_cast<double>(random() % 2001) / 1000 - 1);
      }
      const bool finite = AllAreFinite(ServedRow(model, row));
      ASSERT_TRUE(finite || !proven) << seed;
      overflows += finite ? 0 : 1;
    }
  }
  EXPECT_GT(certified, 10);
  EXPECT_GT(overflows, 10);
}

}  // namespace
}  // namespace relu
