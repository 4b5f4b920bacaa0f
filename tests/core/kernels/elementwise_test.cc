#include "core/kernels/elementwise.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <numbers>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

#include "tests/core/kernels/function_testing.h"
#include "tests/core/kernels/kernel_testing.h"

namespace relu::kernels {
namespace {

using ElementwiseTest = EveryTargetTest;
INSTANTIATE_TEST_SUITE_P(Each, ElementwiseTest, EveryTarget(), TargetOf);

double ExactGelu(double x) {
  return x * 0.5 * std::erfc(-x / std::numbers::sqrt2);
}

double ExactGeluTanh(double x) {
  const double v =
      std::sqrt(8.0 / std::numbers::pi) * (x + 0.044715 * x * x * x);
  return x * ExactSigmoid(v);
}

double ExactSoftplus(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}

double ExactHardSigmoid(double x, double a, double b) {
  return std::max(0.0, std::min(1.0, a * x + b));
}

double ExactSign(double x) { return x > 0.0 ? 1.0 : (x < 0.0 ? -1.0 : 0.0); }

// One function, and how far it may be from its definition.
struct Definition {
  std::string_view name;
  Function function = Function::kAbs;
  Parameters parameters;
  std::function<double(double)> exact;
  double bound = 0.0;  // 0x1p-24: rounded once.
  double smallest = 0x1p-126;

  RowKernel kernel() const {
    return [this](std::size_t size, const float* input, float* output) {
      Apply(function, parameters, size, input, output);
    };
  }
};

double Selu(double x, double a, double b) {
  return b * (x < 0.0 ? a * std::expm1(x) : x);
}

const std::vector<Definition>& Definitions() {
  using D = double;
  constexpr D kOnce = 0x1.000001p-24;
  constexpr D kTail = 0x1p-118;
  static const std::vector<Definition> kDefinitions = {
      {"abs", Function::kAbs, {}, [](D x) { return std::abs(x); }, 0},
      {"ceil", Function::kCeil, {}, [](D x) { return std::ceil(x); }, 0},
      {"celu",
       Function::kCelu,
       {2.0F},
       [](D x) { return x < 0 ? 2 * std::expm1(x / 2) : x; },
       3e-7},
      {"clip",
       Function::kClip,
       {-0.5F, 6.0F},
       [](D x) { return std::clamp(x, -0.5, 6.0); },
       0},
      {"elu",
       Function::kElu,
       {1.0F},
       [](D x) { return x < 0 ? std::expm1(x) : x; },
       3e-7},
      {"erf", Function::kErf, {}, [](D x) { return std::erf(x); }, 2e-7},
      {"exp", Function::kExp, {}, [](D x) { return std::exp(x); }, 1e-7},
      {"floor", Function::kFloor, {}, [](D x) { return std::floor(x); }, 0},
      {"gelu", Function::kGelu, {}, ExactGelu, 4e-7, kTail},
      {"gelu_tanh", Function::kGeluTanh, {}, ExactGeluTanh, 4e-7, kTail},
      {"hard_sigmoid",
       Function::kHardSigmoid,
       {0.125F, 0.75F},
       [](D x) { return ExactHardSigmoid(x, 0.125, 0.75); },
       kOnce},
      {"leaky_relu",
       Function::kLeakyRelu,
       {0.125F},
       [](D x) { return x < 0 ? 0.125 * x : x; },
       kOnce},
      {"log", Function::kLog, {}, [](D x) { return std::log(x); }, 2e-7},
      {"mish",
       Function::kMish,
       {},
       [](D x) { return x * std::tanh(std::log1p(std::exp(x))); },
       4e-7,
       kTail},
      {"neg", Function::kNeg, {}, [](D x) { return -x; }, 0},
      {"reciprocal",
       Function::kReciprocal,
       {},
       [](D x) { return 1.0 / x; },
       kOnce},
      {"relu", Function::kRelu, {}, [](D x) { return x < 0.0 ? 0.0 : x; }, 0},
      {"round", Function::kRound, {}, [](D x) { return std::nearbyint(x); }, 0},
      {"selu",
       Function::kSelu,
       {1.67326319F, 1.05070102F},
       [](D x) {
         return Selu(x, static_cast<D>(1.67326319F),
                     static_cast<D>(1.05070102F));
       },
       3e-7},
      {"sigmoid", Function::kSigmoid, {}, ExactSigmoid, 2e-7},
      {"sign", Function::kSign, {}, ExactSign, 0},
      {"softplus", Function::kSoftplus, {}, ExactSoftplus, 3e-7},
      {"softsign",
       Function::kSoftsign,
       {},
       [](D x) { return x / (1.0 + std::abs(x)); },
       2e-7},
      {"sqrt", Function::kSqrt, {}, [](D x) { return std::sqrt(x); }, kOnce},
      {"square", Function::kSquare, {}, [](D x) { return x * x; }, kOnce},
      {"swish",
       Function::kSwish,
       {1.0F},
       [](D x) { return x * ExactSigmoid(x); },
       3e-7,
       kTail},
      {"tanh", Function::kTanh, {}, [](D x) { return std::tanh(x); }, 2e-7},
      {"thresholded_relu",
       Function::kThresholdedRelu,
       {0.75F},
       [](D x) { return x > 0.75 ? x : 0.0; },
       0},
  };
  return kDefinitions;
}

TEST_P(ElementwiseTest, FunctionsAreAsExactAsDocumented) {
  const std::vector<float> sweep = Sweep();
  const std::vector<float> dense = DenseSweep();
  for (const Definition& definition : Definitions()) {
    const double worst =
        std::max(WorstError(definition.kernel(), definition.exact, sweep,
                            definition.smallest),
                 WorstError(definition.kernel(), definition.exact, dense,
                            definition.smallest));
    EXPECT_LE(worst, definition.bound) << definition.name;
    RecordProperty(std::string(definition.name), std::to_string(worst));
  }
}

TEST_P(ElementwiseTest, HardSwishIsAsExactAsDocumented) {
  for (const float x : DenseSweep()) {
    const auto input = static_cast<double>(x);
    const double exact = input * ExactHardSigmoid(input, 1.0 / 6.0, 0.5);
    float output = 0.0F;
    Apply(Function::kHardSwish, {}, 1, &x, &output);
    EXPECT_NEAR(static_cast<double>(output), exact, 2e-7 * std::abs(input));
  }
}

TEST_P(ElementwiseTest, FunctionsAreElementwise) {
  for (const Definition& definition : Definitions()) {
    SCOPED_TRACE(definition.name);
    ExpectElementwise(definition.kernel());
  }
}

TEST_P(ElementwiseTest, FunctionsStayWithinTheirRows) {
  for (const Definition& definition : Definitions()) {
    SCOPED_TRACE(definition.name);
    ExpectStaysWithin(definition.kernel());
  }
}

TEST_P(ElementwiseTest, FunctionsOfNanAreNan) {
  for (const Definition& definition : Definitions()) {
    EXPECT_TRUE(std::isnan(ApplyToOne(definition.kernel(), kNan)))
        << definition.name;
    EXPECT_TRUE(std::isnan(ApplyToOne(definition.kernel(), -kNan)))
        << definition.name;
  }
}

TEST_P(ElementwiseTest, FunctionsHaveTheBitsOfPortableCode) {
  for (const Definition& definition : Definitions()) {
    SCOPED_TRACE(definition.name);
    ExpectBitsOfPortableCode(definition.kernel(), Sweep(/*step=*/30'011));
    hwy::SetSupportedTargetsForTest(GetParam());
  }
}

TEST_P(ElementwiseTest, FunctionsHaveTheGoldenBits) {
  for (const Definition& definition : Definitions()) {
    ExpectGoldenBits(std::string(definition.name),
                     ApplyTo(definition.kernel(), Sweep(/*step=*/30'011)));
  }
}

float FunctionValue(Function function, float x,
                    const Parameters& parameters = {}) {
  float output = 0.0F;
  Apply(function, parameters, 1, &x, &output);
  return output;
}

TEST_P(ElementwiseTest, ZeroKeepsItsSignWhereTheDefinitionDoes) {
  for (const Function function :
       {Function::kCeil, Function::kErf, Function::kFloor, Function::kGelu,
        Function::kGeluTanh, Function::kMish, Function::kRound,
        Function::kSoftsign, Function::kSqrt, Function::kSwish,
        Function::kTanh}) {
    EXPECT_TRUE(SameBits(FunctionValue(function, -0.0F), -0.0F));
    EXPECT_TRUE(SameBits(FunctionValue(function, 0.0F), 0.0F));
  }
  EXPECT_TRUE(SameBits(FunctionValue(Function::kElu, -0.0F, {1.0F}), -0.0F));
  EXPECT_TRUE(SameBits(FunctionValue(Function::kRelu, -0.0F), 0.0F));
  EXPECT_TRUE(SameBits(FunctionValue(Function::kCeil, -0.5F), -0.0F));
}

TEST_P(ElementwiseTest, RoundingIsExactAroundHalvesAndWholeNumbers) {
  for (float middle = 0.0F; middle < 9e6F; middle = middle * 1.7F + 0.5F) {
    for (const float whole : {std::floor(middle), std::floor(middle) + 0.5F}) {
      for (float x : {std::nextafter(whole, -kInfinity), whole,
                      std::nextafter(whole, kInfinity)}) {
        for (int sign = 0; sign < 2; ++sign, x = -x) {
          EXPECT_TRUE(
              SameBits(FunctionValue(Function::kRound, x), std::nearbyint(x)));
          EXPECT_TRUE(
              SameBits(FunctionValue(Function::kFloor, x), std::floor(x)));
          EXPECT_TRUE(
              SameBits(FunctionValue(Function::kCeil, x), std::ceil(x)));
        }
      }
    }
  }
}

TEST_P(ElementwiseTest, LogHasItsLimits) {
  EXPECT_EQ(FunctionValue(Function::kLog, 0.0F), -kInfinity);
  EXPECT_EQ(FunctionValue(Function::kLog, -0.0F), -kInfinity);
  EXPECT_EQ(FunctionValue(Function::kLog, 1.0F), 0.0F);
  EXPECT_EQ(FunctionValue(Function::kLog, kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(FunctionValue(Function::kLog, -1.0F)));
  EXPECT_TRUE(std::isnan(FunctionValue(Function::kLog, -kInfinity)));
}

TEST_P(ElementwiseTest, InfinityTimesZeroIsNan) {
  for (const Function function :
       {Function::kGelu, Function::kGeluTanh, Function::kHardSwish,
        Function::kMish, Function::kSwish}) {
    EXPECT_TRUE(std::isnan(FunctionValue(function, -kInfinity, {1.0F})));
    EXPECT_EQ(FunctionValue(function, kInfinity, {1.0F}), kInfinity);
  }
}

TEST_P(ElementwiseTest, ClipWithCrossedBoundsGivesTheUpperOne) {
  EXPECT_EQ(FunctionValue(Function::kClip, 3.0F, {5.0F, 1.0F}), 1.0F);
  EXPECT_EQ(FunctionValue(Function::kClip, 9.0F, {5.0F, 1.0F}), 1.0F);
}

TEST_P(ElementwiseTest, ClipOfInfiniteBoundsChangesNothing) {
  for (const float x : {-kInfinity, -1.0F, 0.0F, kDenormal, kInfinity}) {
    EXPECT_EQ(FunctionValue(Function::kClip, x, {-kInfinity, kInfinity}), x);
  }
}

}  // namespace
}  // namespace relu::kernels
