#include "core/relu/explainer.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/elements.h"
#include "core/graph/graph.h"
#include "core/graph/interpreter.h"
#include "core/graph/onnx_import.h"
#include "core/relu/gauss_legendre.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"
#include "tests/core/relu/relu_testing.h"
#include "tests/support/graph_builder.h"
#include "tests/support/npy.h"
#include "tests/support/reference_model.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t kInputs = RandomPiecewiseNetwork::kInputs;
constexpr std::int64_t kWidth = RandomPiecewiseNetwork::kWidth;

std::vector<Tensor> Inputs(Tensor tensor) {
  std::vector<Tensor> inputs;
  inputs.push_back(std::move(tensor));
  return inputs;
}

std::vector<Explanation> ExplainOrDie(const Explainer& explainer,
                                      std::span<const Tensor> inputs,
                                      std::span<const Tensor> baseline,
                                      const ExplainOptions& options) {
  auto explanations = explainer.Explain(inputs, baseline, options);
  if (!explanations.ok()) {
    ADD_FAILURE() << explanations.status();
  }
  CHECK(explanations.ok());
  return *std::move(explanations);
}

double Sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

// f at `x` and at `step` to both sides of each of its elements, in double.
std::vector<double> Probe(const Graph& graph, const std::vector<double>& x,
                          double step, std::size_t element) {
  std::vector<double> rows = x;
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (const double sign : {-1.0, 1.0}) {
      std::vector<double> moved = x;
      moved[i] += sign * step;
      rows.insert(rows.end(), moved.begin(), moved.end());
    }
  }
  const auto count = static_cast<std::int64_t>(rows.size() / x.size());
  const auto outputs =
      Interpret(graph, Inputs(DoubleTensor({count, kInputs}, rows)));
  CHECK(outputs.ok());
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) {
    values.push_back((*outputs)[0].As<double>()[static_cast<std::size_t>(
        i * kWidth + static_cast<std::int64_t>(element))]);
  }
  return values;
}

TEST(ExplainerTest, GradientsAreCentralDifferences) {
  constexpr double kStep = 1e-6;
  int compared = 0;
  int on_kink = 0;
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    RandomPiecewiseNetwork random(seed);
    const Graph graph = random.Draw();
    const Explainer explainer = ExplainerOrDie(graph);
    const std::vector<double> x = random.Row();
    const Explanation explanation =
        ExplainOrDie(explainer, Inputs(DoubleTensor({1, kInputs}, x)), {},
                     {.elements = {2}})[0];
    const std::vector<double> probe = Probe(graph, x, kStep, 2);
    double largest = 1e-3;
    for (const double slope : explanation.gradient) {
      largest = std::max(largest, std::abs(slope));
    }
    EXPECT_NEAR(explanation.value, probe[0], 1e-5 * (1 + std::abs(probe[0])));
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double left = (probe[0] - probe[1 + 2 * i]) / kStep;
      const double right = (probe[2 + 2 * i] - probe[0]) / kStep;
      if (std::abs(right - left) > 1e-4 * largest) {
        ++on_kink;
        continue;
      }
      ++compared;
      EXPECT_NEAR(explanation.gradient[i], (left + right) / 2, 1e-5 * largest)
          << "seed " << seed << ", input " << i;
    }
  }
  // Inputs and weights are coarse: some rows are on a kink.
  EXPECT_GT(compared, 900);
  EXPECT_LT(on_kink, 50);
}

TEST(ExplainerTest, TheValueIsGradientTimesRowAndIntercept) {
  for (std::uint32_t seed = 0; seed < 100; ++seed) {
    RandomPiecewiseNetwork random(seed);
    const Explainer explainer = ExplainerOrDie(random.Draw());
    const std::vector<double> x = random.Row();
    const Explanation explanation =
        ExplainOrDie(explainer, Inputs(DoubleTensor({1, kInputs}, x)), {},
                     {.elements = {0}})[0];
    double scale = std::abs(explanation.intercept) + 1;
    for (std::size_t i = 0; i < x.size(); ++i) {
      EXPECT_EQ(explanation.contributions[i], explanation.gradient[i] * x[i]);
      scale += std::abs(explanation.contributions[i]);
    }
    EXPECT_NEAR(explanation.remainder, 0, 1e-6 * scale) << seed;
    EXPECT_EQ(explanation.remainder, explanation.value -
                                         Sum(explanation.contributions) -
                                         explanation.intercept);
  }
}

TEST(ExplainerTest, IntegratedGradientsAccountForTheWholeDifference) {
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    RandomPiecewiseNetwork random(seed);
    const Explainer explainer = ExplainerOrDie(random.Draw());
    const std::vector<Tensor> x =
        Inputs(DoubleTensor({1, kInputs}, random.Row()));
    const std::vector<Tensor> baseline =
        Inputs(DoubleTensor({1, kInputs}, random.Row()));
    const auto explain = [&](Attribution attribution) {
      return ExplainOrDie(explainer, x, baseline,
                          {.attribution = attribution, .elements = {1}})[0];
    };
    const Explanation exact = explain(Attribution::kExactIntegratedGradients);
    const double scale =
        1 + std::abs(exact.value) + std::abs(exact.baseline_value);
    EXPECT_NEAR(exact.remainder, 0, 1e-12 * scale) << seed;
    EXPECT_GT(exact.pieces, 0);
  }
}

TEST(ExplainerTest, IntegratedGradientsAreTheMeanOfThoseAtFiftyPoints) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    RandomPiecewiseNetwork random(seed);
    const Explainer explainer = ExplainerOrDie(random.Draw());
    const std::vector<double> x = random.Row();
    const std::vector<double> origin = random.Row();
    const auto rule = GaussLegendre(50);
    std::vector<double> points;
    for (const QuadraturePoint& point : rule) {
      for (std::size_t i = 0; i < x.size(); ++i) {
        points.push_back(origin[i] + point.at * (x[i] - origin[i]));
      }
    }
    const auto gradients =
        ExplainOrDie(explainer, Inputs(DoubleTensor({50, kInputs}, points)), {},
                     {.elements = {1}});
    const Explanation mean = ExplainOrDie(
        explainer, Inputs(DoubleTensor({1, kInputs}, x)),
        Inputs(DoubleTensor({1, kInputs}, origin)),
        {.attribution = Attribution::kIntegratedGradients, .elements = {1}})[0];
    for (std::size_t i = 0; i < x.size(); ++i) {
      double sum = 0;
      for (std::size_t p = 0; p < rule.size(); ++p) {
        sum += rule[p].weight * gradients[p].gradient[i];
      }
      EXPECT_NEAR(mean.gradient[i], sum, 1e-12) << seed;
      EXPECT_EQ(mean.contributions[i], mean.gradient[i] * (x[i] - origin[i]));
    }
    EXPECT_EQ(mean.remainder,
              mean.value - Sum(mean.contributions) - mean.baseline_value);
  }
}

TEST(ExplainerTest, BaselineLeavesARemainder) {
  const Explainer explainer = ExplainerOrDie(TwoNeurons());
  // f(1,0) = 9.5 with J = (6,-3); f(0,3) = 0.5 - 3.
  const Explanation explanation =
      ExplainOrDie(explainer, Inputs(FloatTensor({1, 2}, {1, 0})),
                   Inputs(FloatTensor({1, 2}, {0, 3})), {})[0];
  EXPECT_EQ(explanation.value, 9.5);
  EXPECT_EQ(explanation.answer, 9.5);
  EXPECT_EQ(explanation.baseline_value, -2.5);
  EXPECT_THAT(explanation.contributions, ElementsAre(6, 9));
  EXPECT_EQ(explanation.remainder, 12 - 15);
  EXPECT_EQ(explanation.intercept, 3.5);
  EXPECT_EQ(explanation.kinks, 0);
}

TEST(ExplainerTest, RowsOfABatchAreThoseOfTheirOwn) {
  RandomPiecewiseNetwork random(11);
  const Explainer explainer = ExplainerOrDie(random.Draw());
  constexpr std::int64_t kRows = 37;  // Three blocks.
  std::vector<double> all;
  std::vector<std::vector<double>> rows;
  for (std::int64_t i = 0; i < kRows; ++i) {
    rows.push_back(random.Row());
    all.insert(all.end(), rows.back().begin(), rows.back().end());
  }
  const ExplainOptions options{.elements = {5, 0}};
  const std::vector<Tensor> baseline =
      Inputs(DoubleTensor({1, kInputs}, random.Row()));
  const auto batch =
      ExplainOrDie(explainer, Inputs(DoubleTensor({kRows, kInputs}, all)),
                   baseline, options);
  ASSERT_EQ(batch.size(), 2U * kRows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto alone =
        ExplainOrDie(explainer, Inputs(DoubleTensor({1, kInputs}, rows[i])),
                     baseline, options);
    for (std::size_t e = 0; e < 2; ++e) {
      const Explanation& one = batch[2 * i + e];
      EXPECT_EQ(one.row, static_cast<std::int64_t>(i));
      EXPECT_EQ(one.element, options.elements[e]);
      EXPECT_EQ(one.value, alone[e].value);
      EXPECT_EQ(one.gradient, alone[e].gradient);
      EXPECT_EQ(one.contributions, alone[e].contributions);
      EXPECT_EQ(one.intercept, alone[e].intercept);
      EXPECT_EQ(one.kinks, alone[e].kinks);
    }
  }
}

TEST(ExplainerTest, ManyElementsOfARowAreEachAsAlone) {
  RandomPiecewiseNetwork random(12);
  const Explainer explainer = ExplainerOrDie(random.Draw());
  std::vector<double> rows = random.Row();
  const std::vector<double> second = random.Row();
  rows.insert(rows.end(), second.begin(), second.end());
  ExplainOptions options;
  for (std::int64_t e = 0; e < 20; ++e) {  // More than go back together.
    options.elements.push_back(e * 3 % kWidth);
  }
  const std::vector<Tensor> inputs = Inputs(DoubleTensor({2, kInputs}, rows));
  const auto many = ExplainOrDie(explainer, inputs, {}, options);
  ASSERT_EQ(many.size(), 40U);
  for (std::size_t i = 0; i < many.size(); ++i) {
    const std::size_t row = i / options.elements.size();
    const std::int64_t element = options.elements[i % options.elements.size()];
    const Explanation alone =
        ExplainOrDie(explainer, inputs, {}, {.elements = {element}})[row];
    EXPECT_EQ(many[i].row, static_cast<std::int64_t>(row));
    EXPECT_EQ(many[i].element, element);
    EXPECT_EQ(many[i].value, alone.value);
    EXPECT_EQ(many[i].gradient, alone.gradient);
    EXPECT_EQ(many[i].intercept, alone.intercept);
    EXPECT_EQ(many[i].kinks, alone.kinks);
  }
}

TEST(ExplainerTest, EachRowMayHaveABaselineOfItsOwn) {
  const Explainer explainer = ExplainerOrDie(TwoNeurons());
  const std::vector<Tensor> rows = Inputs(FloatTensor({2, 2}, {1, 0, 1, 0}));
  const std::vector<Tensor> baselines =
      Inputs(FloatTensor({2, 2}, {0, 3, 1, 2}));
  const auto explanations = ExplainOrDie(explainer, rows, baselines, {});
  EXPECT_EQ(explanations[0].baseline_value, -2.5);
  EXPECT_EQ(explanations[1].baseline_value, 2.5);
}

TEST(ExplainerTest, WithoutElementsExplainsTheLargest) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  builder.Output(builder.Softmax(
      builder.MatMul(
          x, builder.Constant(FloatTensor({2, 3}, {1, 2, 0, 0, -1, 3}))),
      1));
  const Explainer explainer = ExplainerOrDie(builder.Build());
  const auto explanations = ExplainOrDie(
      explainer, Inputs(FloatTensor({2, 2}, {1, 0, 1, 1})), {}, {});
  EXPECT_EQ(explanations[0].element, 1);
  EXPECT_THAT(explanations[0].gradient, ElementsAre(2, -1));
  EXPECT_EQ(explanations[0].value, 2);
  EXPECT_NEAR(explanations[0].answer,
              std::exp(2) / (std::exp(1) + std::exp(2) + 1), 1e-12);
  EXPECT_EQ(explanations[1].element, 2);
  EXPECT_THAT(explanations[1].gradient, ElementsAre(0, 3));
}

TEST(ExplainerTest, AnswersAreThoseOfTheModel) {
  RandomPiecewiseNetwork random(21);
  const Graph graph = random.Draw();
  const Explainer explainer = ExplainerOrDie(graph);
  std::vector<double> rows = random.Row();
  const std::vector<double> second = random.Row();
  rows.insert(rows.end(), second.begin(), second.end());
  const std::vector<Tensor> inputs = Inputs(DoubleTensor({2, kInputs}, rows));
  const auto answers = explainer.Answers(
      ReadInputRows(explainer.network(), inputs, "input").value());
  ASSERT_TRUE(answers.ok()) << answers.status();
  const auto want = Interpret(graph, inputs);
  ASSERT_TRUE(want.ok()) << want.status();
  ASSERT_EQ(answers->size(), 2U * kWidth);
  for (std::size_t i = 0; i < answers->size(); ++i) {
    const double value = (*want)[0].As<double>()[i];
    EXPECT_NEAR((*answers)[i], value, 1e-5 * (1 + std::abs(value)));
  }
}

// Of one category, an embedding of two floats, and one number.
Graph Embedded() {
  GraphBuilder builder;
  const ValueId number = builder.Input("number", {1});
  const ValueId category = builder.Input("category", {1}, DataType::kInt64);
  const ValueId table =
      builder.Constant(FloatTensor({3, 2}, {1, 2, 3, 5, -1, 4}));
  const ValueId embedded =
      builder.Node(Operator::kGather, {table, category}, {.row_shape = {1, 2}},
                   {{"axis", std::int64_t{0}}});
  const ValueId flat =
      builder.Node(Operator::kFlatten, {embedded}, {.row_shape = {2}});
  const ValueId joined =
      builder.Node(Operator::kConcat, {number, flat}, {.row_shape = {3}},
                   {{"axis", std::int64_t{1}}});
  builder.Output(builder.Unary(
      Operator::kSigmoid, builder.MatMul(joined, builder.Constant(FloatTensor(
                                                     {3, 1}, {10, 1, 100})))));
  return builder.Build();
}

TEST(ExplainerTest, EmbeddingCountsForItsCategory) {
  const Explainer explainer = ExplainerOrDie(Embedded());
  std::vector<Tensor> row = Inputs(FloatTensor({1, 1}, {2}));
  row.push_back(Int64Tensor({1, 1}, {1}));
  std::vector<Tensor> baseline = Inputs(FloatTensor({1, 1}, {0}));
  baseline.push_back(Int64Tensor({1, 1}, {-1}));  // Counts from the end.
  const Explanation alone = ExplainOrDie(explainer, row, {}, {})[0];
  EXPECT_THAT(alone.gradient, ElementsAre(10, 0));
  EXPECT_THAT(alone.contributions, ElementsAre(20, 3 + 500));
  EXPECT_EQ(alone.answer, 1.0);
  for (const Attribution attribution :
       {Attribution::kGradient, Attribution::kExactIntegratedGradients}) {
    const Explanation change =
        ExplainOrDie(explainer, row, baseline, {.attribution = attribution})[0];
    EXPECT_THAT(change.contributions, ElementsAre(20, 4 + 100));
    EXPECT_EQ(change.remainder, 0);
  }
}

// --- Numbers that NumPy has computed: tests/core/relu/make_golden.py ---

Tensor Golden(const std::string& model, const std::string& name) {
  auto tensor =
      ReadNpy("tests/testdata/explanations/" + model + "/" + name + ".npy");
  if (!tensor.ok()) {
    ADD_FAILURE() << tensor.status();
  }
  CHECK(tensor.ok());
  return *std::move(tensor);
}

// [rows, elements]
void ExpectNear(const std::vector<Explanation>& explanations,
                std::vector<double> Explanation::*member, const Tensor& golden,
                double tolerance) {
  const auto want = golden.As<double>();
  const double largest = std::abs(*std::ranges::max_element(
      want, {}, [](double value) { return std::abs(value); }));
  std::size_t at = 0;
  for (const Explanation& explanation : explanations) {
    for (const double found : explanation.*member) {
      ASSERT_LT(at, want.size());
      EXPECT_NEAR(found, want[at], tolerance * largest) << at;
      ++at;
    }
  }
  EXPECT_EQ(at, want.size());
}

class GoldenTest : public testing::TestWithParam<std::string> {};

TEST_P(GoldenTest, AgreesWithNumPy) {
  const std::string model = GetParam();
  const auto reference = LoadReference("tests/testdata/models/" + model);
  ASSERT_TRUE(reference.ok()) << reference.status();
  const auto graph = ImportOnnx(reference->onnx);
  ASSERT_TRUE(graph.ok()) << graph.status();
  const Explainer explainer = ExplainerOrDie(*graph);
  constexpr std::int64_t kRows = 4;
  std::vector<Tensor> rows;
  std::vector<Tensor> baseline;
  for (const NetworkInput& input : explainer.network().inputs) {
    const Tensor& all = reference->inputs.at(input.name);
    rows.push_back(SliceRows(all, 1, kRows));
    baseline.push_back(SliceRows(all, 0, 1));
  }
  const auto local = ExplainOrDie(explainer, rows, {}, {});
  ExpectNear(local, &Explanation::gradient, Golden(model, "gradient"), 1e-5);
  ExpectNear(local, &Explanation::contributions, Golden(model, "contributions"),
             1e-5);
  const Tensor summary = Golden(model, "summary");
  for (std::size_t i = 0; i < local.size(); ++i) {
    const auto want = summary.As<double>().subspan(i * 3, 3);
    const double scale = 1e-5 * (1 + std::abs(want[1]) + std::abs(want[2]));
    EXPECT_EQ(local[i].element, static_cast<std::int64_t>(want[0]));
    EXPECT_NEAR(local[i].value, want[1], scale);
    EXPECT_NEAR(local[i].intercept, want[2], scale);
  }
  const auto exact =
      ExplainOrDie(explainer, rows, baseline,
                   {.attribution = Attribution::kExactIntegratedGradients});
  ExpectNear(exact, &Explanation::contributions, Golden(model, "integrated"),
             1e-7);
  const auto points =
      ExplainOrDie(explainer, rows, baseline,
                   {.attribution = Attribution::kIntegratedGradients});
  ExpectNear(points, &Explanation::contributions, Golden(model, "integrated"),
             2e-2);
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenTest,
                         testing::Values("credit_embed", "digits_mlp"),
                         [](const auto& test) { return test.param; });

// --- Errors ---

absl::Status ErrorOf(const std::vector<Tensor>& rows,
                     const std::vector<Tensor>& baseline = {},
                     const ExplainOptions& options = {}) {
  return ExplainerOrDie(TwoNeurons()).Explain(rows, baseline, options).status();
}

TEST(ExplainerTest, RefusesAnElementThatIsNotThere) {
  const absl::Status status =
      ErrorOf(Inputs(FloatTensor({1, 2}, {1, 2})), {}, {.elements = {1}});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("element 1, a row has 0 to 0"));
}

TEST(ExplainerTest, RefusesIntegratedGradientsWithoutBaseline) {
  const absl::Status status =
      ErrorOf(Inputs(FloatTensor({1, 2}, {1, 2})), {},
              {.attribution = Attribution::kIntegratedGradients});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
}

TEST(ExplainerTest, RefusesAnotherNumberOfBaselines) {
  const absl::Status status =
      ErrorOf(Inputs(FloatTensor({3, 2}, {1, 2, 3, 4, 5, 6})),
              Inputs(FloatTensor({2, 2}, {1, 2, 3, 4})));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("2 rows"));
}

TEST(ExplainerTest, RefusesValuesThatOverflow) {
  const float most = std::numeric_limits<float>::max();
  const absl::Status status = ErrorOf(Inputs(FloatTensor({1, 2}, {most, 0})));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("row 0"));
}

TEST(ExplainerTest, RefusesMoreWorkThanAllowed) {
  const std::vector<Tensor> row = Inputs(FloatTensor({1, 2}, {1, 0}));
  const std::vector<Tensor> baseline = Inputs(FloatTensor({1, 2}, {-1, 0}));
  EXPECT_EQ(ErrorOf(row, {}, {.max_multiply_adds = 17}).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrorOf(row, {}, {.max_multiply_adds = 18}), absl::OkStatus());
  EXPECT_EQ(ErrorOf(row, baseline,
                    {.attribution = Attribution::kExactIntegratedGradients,
                     .max_multiply_adds = 42})
                .code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(ExplainerTest, NoRowsHaveNoExplanations) {
  EXPECT_TRUE(ExplainOrDie(ExplainerOrDie(TwoNeurons()),
                           Inputs(FloatTensor({0, 2}, {})), {}, {})
                  .empty());
}

}  // namespace
}  // namespace relu
