// Networks drawn at random: the plan agrees with the interpreter, and a row's
// answer does not depend on the other rows, to the bit.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"

#include "core/base/thread_team.h"
#include "core/graph/graph.h"
#include "core/graph/interpreter.h"
#include "core/plan/compile_options.h"
#include "core/plan/compiled_model.h"
#include "core/plan/self_check.h"
#include "core/plan/workspace.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"
#include "tests/core/plan/plan_runner.h"
#include "tests/support/graph_builder.h"
#include "tests/support/reference_model.h"

namespace relu {
namespace {

constexpr std::uint32_t kNetworks = 400;

// Draws a network of layers, branches, activations, scales, normalisation,
// comparisons and choices of columns.
class RandomNetwork {
 public:
  explicit RandomNetwork(std::uint32_t seed) : random_(seed) {}

  Graph Draw() {
    values_.push_back(builder_.Input("x", {Below(40) + 1}));
    const std::int64_t nodes = Below(14) + 1;
    for (std::int64_t i = 0; i < nodes; ++i) {
      values_.push_back(DrawNode());
    }
    builder_.Output(values_.back());
    if (Below(2) == 0) {
      builder_.Output(Any());
    }
    return builder_.Build();
  }

 private:
  std::int64_t Below(std::int64_t end) {
    return static_cast<std::int64_t>(random_() %
                                     static_cast<std::uint32_t>(end));
  }

  // One of the values so far; the newest half of the time.
  ValueId Any() {
    return Below(2) == 0 ? values_.back()
                         : values_[static_cast<std::size_t>(Below(
                               static_cast<std::int64_t>(values_.size())))];
  }

  std::int64_t Width(ValueId value) const {
    return builder_.value(value).shape[1];
  }

  ValueId RandomConstant(Shape shape, float scale) {
    Tensor tensor(DataType::kFp32, std::move(shape));
    for (float& element : tensor.As<float>()) {
      element = scale * (static_cast<float>(Below(2001)) / 1000 - 1);
    }
    return builder_.Constant(std::move(tensor));
  }

  // Weights that keep the size of what goes through.
  ValueId Weights(std::int64_t k, std::int64_t n) {
    return RandomConstant({k, n}, 1.5F / std::sqrt(static_cast<float>(k)));
  }

  ValueId Dense() {
    const ValueId x = Any();
    const std::int64_t n = Below(50) + 1;
    const ValueId weights = Weights(Width(x), n);
    if (Below(2) == 0) {
      return builder_.Gemm(x, weights, RandomConstant({n}, 1));
    }
    const ValueId product = builder_.MatMul(x, weights);
    if (Below(3) == 0) {
      values_.push_back(product);  // A second use may keep it from fusing.
    }
    return builder_.Binary(Operator::kAdd, product, RandomConstant({n}, 1));
  }

  ValueId Like(ValueId x, Operator op, Attributes attributes = {}) {
    return builder_.Node(op, {x}, {.row_shape = {Width(x)}},
                         std::move(attributes));
  }

  ValueId Activation() {
    constexpr Operator kPlain[] = {Operator::kRelu,      Operator::kSigmoid,
                                   Operator::kTanh,      Operator::kErf,
                                   Operator::kAbs,       Operator::kNeg,
                                   Operator::kSoftplus,  Operator::kMish,
                                   Operator::kHardSwish, Operator::kSoftsign};
    const ValueId x = Any();
    switch (Below(8)) {
      case 0:
        return Like(x, Operator::kElu, {{"alpha", 0.7F}});
      case 1:
        return Like(x, Operator::kSelu, {{"alpha", 1.6F}, {"gamma", 1.05F}});
      case 2:
        return Like(x, Operator::kLeakyRelu, {{"alpha", 0.1F}});
      case 3:
        return Like(x, Operator::kClip, {{"min", -0.5F}, {"max", 6.0F}});
      case 4:
        return Like(x, Operator::kGelu,
                    {{"approximate", std::string(Below(2) ? "tanh" : "none")}});
      default:
        return Like(x, kPlain[Below(std::size(kPlain))]);
    }
  }

  // Arithmetic with a constant for each feature, or BatchNormalization: what
  // dense layers may take in.
  ValueId Scaled() {
    const ValueId x = Any();
    const std::int64_t n = Width(x);
    if (Below(3) == 0) {
      std::vector<ValueId> inputs{x};
      for (int i = 0; i < 3; ++i) {
        inputs.push_back(RandomConstant({n}, 1));
      }
      inputs.push_back(builder_.Constant(FloatTensor(
          {n}, std::vector<float>(static_cast<std::size_t>(n), 1.5F))));
      return builder_.Node(Operator::kBatchNormalization, std::move(inputs),
                           {.row_shape = {n}},
                           {{"epsilon", 0.1F}, {"spatial", std::int64_t{1}}});
    }
    constexpr Operator kOperators[] = {Operator::kAdd, Operator::kSub,
                                       Operator::kMul, Operator::kPRelu};
    // Arguments are drawn in another order by another compiler.
    const ValueId constant = RandomConstant({n}, 1);
    return builder_.Binary(kOperators[Below(4)], x, constant);
  }

  // (x - mean) / sqrt(variance + epsilon) * scale, whole or in its parts.
  ValueId Normalized() {
    const ValueId x = Any();
    const std::int64_t n = Width(x);
    const ValueId scale = RandomConstant({n}, 1);
    if (Below(2) == 0) {
      const ValueId normal = builder_.Node(
          Operator::kLayerNormalization, {x, scale}, {.row_shape = {n}},
          {{"axis", std::int64_t{1}}, {"epsilon", 0.1F}});
      builder_.NextOutput({.row_shape = {1}});  // Mean and InvStdDev.
      builder_.NextOutput({.row_shape = {1}});
      return normal;
    }
    const ValueId centred =
        builder_.Binary(Operator::kSub, x, Reduced(Operator::kReduceMean, x));
    const ValueId two = builder_.Constant(FloatTensor({}, {2}));
    const ValueId variance = Reduced(
        Operator::kReduceMean, builder_.Binary(Operator::kPow, centred, two));
    const ValueId epsilon = builder_.Constant(FloatTensor({}, {0.1F}));
    const ValueId deviation = Like(
        builder_.Binary(Operator::kAdd, variance, epsilon), Operator::kSqrt);
    if (Below(3) == 0) {
      values_.push_back(centred);  // A second use.
    }
    return builder_.Binary(Operator::kMul,
                           builder_.Binary(Operator::kDiv, centred, deviation),
                           scale);
  }

  ValueId Reduced(Operator op, ValueId x) {
    return builder_.Node(op, {x}, {.row_shape = {1}},
                         {{"axes", std::vector<std::int64_t>{1}},
                          {"keepdims", std::int64_t{1}}});
  }

  // x against its largest element, or what a comparison chooses.
  ValueId Compared() {
    const ValueId x = Any();
    const std::int64_t n = Width(x);
    if (Below(2) == 0) {
      return builder_.Binary(Operator::kSub, x,
                             Reduced(Operator::kReduceMax, x));
    }
    const ValueId limit = RandomConstant({n}, 1);
    const ValueId is_less =
        builder_.Node(Operator::kLess, {x, limit},
                      {.row_shape = {n}, .type = DataType::kBool});
    return builder_.Node(Operator::kWhere, {is_less, limit, x},
                         {.row_shape = {n}});
  }

  // Every second column, or columns side by side.
  ValueId Sliced() {
    const ValueId x = Any();
    const std::int64_t step = Below(2) + 1;
    const std::int64_t start = Below(Width(x));
    const std::int64_t count = Below((Width(x) - 1 - start) / step + 1) + 1;
    return builder_.Node(Operator::kSlice, {x}, {.row_shape = {count}},
                         {{"starts", std::vector<std::int64_t>{0, start}},
                          {"steps", std::vector<std::int64_t>{1, step}}});
  }

  ValueId Joined() {
    const ValueId a = Any();
    const ValueId b = Any();
    const std::int64_t width = Width(a) + Width(b);
    if (Width(a) == Width(b)) {
      constexpr Operator kOperators[] = {Operator::kAdd, Operator::kSub,
                                         Operator::kMul, Operator::kMax,
                                         Operator::kMean};
      return builder_.Binary(kOperators[Below(5)], a, b);
    }
    return builder_.Node(Operator::kConcat, {a, b}, {.row_shape = {width}},
                         {{"axis", std::int64_t{1}}});
  }

  ValueId Columns() {
    const ValueId x = Any();
    std::vector<std::int64_t> positions(static_cast<std::size_t>(Below(5) + 1));
    for (std::int64_t& position : positions) {
      position = Below(2 * Width(x)) - Width(x);
    }
    const auto count = static_cast<std::int64_t>(positions.size());
    const ValueId indices = builder_.Constant(Int64Tensor({count}, positions));
    return builder_.Node(Operator::kGather, {x, indices},
                         {.row_shape = {count}}, {{"axis", std::int64_t{1}}});
  }

  ValueId DrawNode() {
    switch (Below(13)) {
      case 0:
      case 1:
      case 2:
        return Dense();
      case 3:
      case 4:
        return Activation();
      case 5:
        return Joined();
      case 6:
        return Columns();
      case 7:
      case 8:
        return Scaled();
      case 9:
        return Normalized();
      case 10:
        return Compared();
      case 11:
        return Sliced();
      default:
        return builder_.Softmax(Any(), /*axis=*/1);
    }
  }

  std::mt19937 random_;
  GraphBuilder builder_;
  std::vector<ValueId> values_;
};

Tensor RandomRows(const CompiledModel& model, std::int64_t rows,
                  std::uint32_t seed) {
  std::mt19937 random(seed);
  Tensor tensor(DataType::kFp32, {rows, model.inputs()[0].row_shape[0]});
  for (float& value : tensor.As<float>()) {
    value = static_cast<float>(random() % 4001) / 1000 - 2;
    value = random() % 4 == 0 ? 0.0F : value;
  }
  return tensor;
}

TEST(RandomNetworkTest, PlanAgreesWithTheInterpreter) {
  for (std::uint32_t seed = 0; seed < kNetworks; ++seed) {
    const Graph graph = RandomNetwork(seed).Draw();
    const CompiledModel model = CompileOrDie(graph);
    const std::vector<Tensor> inputs = OneTensor(RandomRows(model, 5, seed));
    const absl::StatusOr<std::vector<Tensor>> wanted = Interpret(graph, inputs);
    ASSERT_TRUE(wanted.ok()) << wanted.status();
    const PlanRun run = RunPlan(model, inputs);
    for (std::size_t i = 0; i < wanted->size(); ++i) {
      const auto exact = (*wanted)[i].As<float>();
      const auto found = run.outputs[i].As<float>();
      ASSERT_EQ(exact.size(), found.size());
      float scale = 1;
      for (const float value : exact) {
        scale = std::max(scale, std::abs(value));
      }
      for (std::size_t j = 0; j < exact.size(); ++j) {
        ASSERT_NEAR(found[j], exact[j], 1e-5F * scale)
            << "network " << seed << ", output " << i << ", element " << j
            << "\n"
            << model.Describe();
      }
    }
  }
}

TEST(RandomNetworkTest, SelfCheckPasses) {
  for (std::uint32_t seed = 0; seed < kNetworks; ++seed) {
    const Graph graph = RandomNetwork(seed).Draw();
    const absl::Status status = SelfCheck(graph, CompileOrDie(graph));
    EXPECT_TRUE(status.ok()) << "network " << seed << ": " << status;
  }
}

Tensor RandomWeights(Shape shape, std::uint32_t seed) {
  std::mt19937 random(seed);
  Tensor tensor(DataType::kFp32, std::move(shape));
  for (float& value : tensor.As<float>()) {
    value = static_cast<float>(random() % 4001) / 20000 - 0.1F;
  }
  return tensor;
}

// Large enough to be shared by a team, with layers of few and of many columns
// and steps that are not shared.
Graph LargeNetwork() {
  GraphBuilder builder;
  ValueId value = builder.Input("x", {100});
  std::int64_t width = 100;
  std::uint32_t seed = 1;
  for (const std::int64_t next : {700, 350, 33, 10}) {
    const ValueId weights =
        builder.Constant(RandomWeights({width, next}, ++seed));
    const ValueId bias = builder.Constant(RandomWeights({next}, ++seed));
    value = builder.Unary(Operator::kRelu, builder.Gemm(value, weights, bias));
    width = next;
  }
  builder.Output(value);
  builder.Output(builder.Unary(Operator::kTanh, value));
  return builder.Build();
}

// The answers to `rows` rows, computed together.
std::vector<Tensor> Answers(const CompiledModel& model, const Tensor& rows) {
  return RunPlan(model, OneTensor(rows.Clone())).outputs;
}

TEST(RandomNetworkTest, BitsAreTheSameHoweverZerosAreSkipped) {
  for (std::uint32_t seed = 0; seed < kNetworks; ++seed) {
    const Graph graph = RandomNetwork(seed).Draw();
    const CompiledModel never =
        CompileOrDie(graph, {.zero_skip = ZeroSkip::kNever});
    const CompiledModel always =
        CompileOrDie(graph, {.zero_skip = ZeroSkip::kAlways});
    const CompiledModel measured = CompileOrDie(graph);
    for (const std::int64_t batch : {1, 2, 5, 17, 40}) {
      const Tensor rows = RandomRows(never, batch, seed);
      const std::vector<Tensor> expected = Answers(never, rows);
      for (const CompiledModel* model : {&always, &measured}) {
        const std::vector<Tensor> answers = Answers(*model, rows);
        for (std::size_t i = 0; i < expected.size(); ++i) {
          ASSERT_TRUE(SameBits(answers[i], expected[i]))
              << "network " << seed << ", output " << i << " of " << batch
              << " rows\n"
              << always.Describe();
        }
      }
    }
  }
}

// The answers to rows that are known to be alike, on a team if there is one.
std::vector<Tensor> AnswersToAlike(const CompiledModel& model,
                                   const Tensor& rows, ThreadTeam* team,
                                   Sharing sharing = Sharing::kAutomatic) {
  const std::int64_t count = rows.shape()[0];
  Workspace workspace(model, count, /*threads=*/4);
  workspace.CopyIn(0, 0, count, rows.bytes().data());
  workspace.NoteAlike(0, count);
  if (team == nullptr) {
    model.Run(count, workspace);
  } else {
    model.Run(count, workspace, *team, sharing);
  }
  return OutputsOf(model, workspace, count);
}

// Rows of which the first `shared` values are those of the first row.
Tensor RowsThatShare(const CompiledModel& model, std::int64_t rows,
                     std::int64_t shared, std::uint32_t seed) {
  Tensor tensor = RandomRows(model, rows, seed);
  const std::int64_t width = tensor.shape()[1];
  float* const values = tensor.As<float>().data();
  for (std::int64_t row = 1; row < rows; ++row) {
    std::copy_n(values, shared, values + row * width);
  }
  return tensor;
}

TEST(RandomNetworkTest, BitsAreTheSameForRowsThatShareFeatures) {
  for (std::uint32_t seed = 0; seed < kNetworks; ++seed) {
    const CompiledModel model = CompileOrDie(RandomNetwork(seed).Draw());
    const std::int64_t width = model.inputs()[0].row_shape[0];
    for (const std::int64_t batch : {1, 2, 9, 40}) {
      const Tensor rows =
          RowsThatShare(model, batch, (seed * 7 + batch) % (width + 1), seed);
      const std::vector<Tensor> expected = Answers(model, rows);
      const std::vector<Tensor> answers =
          AnswersToAlike(model, rows, /*team=*/nullptr);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_TRUE(SameBits(answers[i], expected[i]))
            << "network " << seed << ", output " << i << " of " << batch
            << " rows\n"
            << model.Describe();
      }
    }
  }
}

TEST(RandomNetworkTest, BitsOfSharedFeaturesAreTheSameOnThreads) {
  ThreadTeam team(4);
  const CompiledModel model = CompileOrDie(LargeNetwork());
  for (const std::int64_t batch : {2, 13, 25, 100}) {
    for (const std::int64_t shared : {0, 16, 60, 100}) {
      const Tensor rows = RowsThatShare(model, batch, shared, /*seed=*/1);
      const std::vector<Tensor> expected = Answers(model, rows);
      for (const Sharing sharing : {Sharing::kRows, Sharing::kColumns}) {
        const std::vector<Tensor> answers =
            AnswersToAlike(model, rows, &team, sharing);
        for (std::size_t i = 0; i < expected.size(); ++i) {
          ASSERT_TRUE(SameBits(answers[i], expected[i]))
              << "output " << i << " of " << batch << " rows that share "
              << shared;
        }
      }
    }
  }
}

TEST(RandomNetworkTest, BitsAreTheSameOnAnyNumberOfThreads) {
  std::vector<std::unique_ptr<ThreadTeam>> teams;
  for (int size = 1; size <= 4; ++size) {
    teams.push_back(std::make_unique<ThreadTeam>(size));
  }
  const CompiledModel model = CompileOrDie(LargeNetwork());
  for (const std::int64_t batch : {1, 2, 3, 5, 12, 23, 24, 25, 100}) {
    const Tensor rows = RandomRows(model, batch, /*seed=*/1);
    const std::vector<Tensor> expected = Answers(model, rows);
    for (const std::unique_ptr<ThreadTeam>& team : teams) {
      for (const Sharing sharing :
           {Sharing::kAutomatic, Sharing::kRows, Sharing::kColumns}) {
        Workspace workspace(model, batch, /*threads=*/4);
        workspace.CopyIn(0, 0, batch, rows.bytes().data());
        model.Run(batch, workspace, *team, sharing);
        const std::vector<Tensor> answers = OutputsOf(model, workspace, batch);
        for (std::size_t i = 0; i < expected.size(); ++i) {
          ASSERT_TRUE(SameBits(answers[i], expected[i]))
              << "output " << i << " of " << batch << " rows on "
              << team->size() << " threads";
        }
      }
    }
  }
}

TEST(RandomNetworkTest, RowHasTheSameBitsAloneAndInEveryBatch) {
  constexpr std::int64_t kRows = 300;
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    const CompiledModel model = CompileOrDie(RandomNetwork(seed).Draw());
    const Tensor rows = RandomRows(model, kRows, seed);
    std::vector<Tensor> alone;  // By row; the first output.
    for (std::int64_t row = 0; row < kRows; ++row) {
      alone.push_back(
          std::move(Answers(model, SliceRows(rows, row, 1)).front()));
    }
    // Every batch size up to 40, and then some; each starts at another row.
    for (std::int64_t batch = 1; batch <= kRows; batch += batch < 40 ? 1 : 13) {
      const std::int64_t first = (batch * 7) % kRows;
      const Tensor together =
          std::move(Answers(model, SliceRows(rows, first, batch)).front());
      for (std::int64_t i = 0; i < batch; ++i) {
        const auto row = static_cast<std::size_t>((first + i) % kRows);
        ASSERT_TRUE(SameBits(SliceRows(together, i, 1), alone[row]))
            << "network " << seed << ", row " << i << " of " << batch;
      }
    }
    const Tensor all = std::move(Answers(model, rows).front());
    for (std::int64_t row = 0; row < kRows; ++row) {
      ASSERT_TRUE(SameBits(SliceRows(all, row, 1),
                           alone[static_cast<std::size_t>(row)]));
    }
  }
}

}  // namespace
}  // namespace relu
