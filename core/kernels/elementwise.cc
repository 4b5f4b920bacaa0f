// Apply() of one value, for every instruction set.

#include "core/kernels/elementwise.h"

#include <cstddef>

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/elementwise.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h, which includes this file again.
#include "hwy/highway.h"

#include "core/kernels/math-inl.h"
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace relu::kernels::HWY_NAMESPACE {
namespace {

struct Abs {
  HWY_INLINE Float operator()(Float x) const { return hn::Abs(x); }
};
struct Ceil {
  HWY_INLINE Float operator()(Float x) const { return CeilOf(x); }
};
struct Erf {
  HWY_INLINE Float operator()(Float x) const { return ErfOf(x); }
};
struct Exp {
  HWY_INLINE Float operator()(Float x) const { return ExpOf(x); }
};
struct Floor {
  HWY_INLINE Float operator()(Float x) const { return FloorOf(x); }
};
struct Log {
  HWY_INLINE Float operator()(Float x) const { return LogOf(x); }
};
struct Neg {
  HWY_INLINE Float operator()(Float x) const { return hn::Neg(x); }
};
struct Round {
  HWY_INLINE Float operator()(Float x) const { return RoundOf(x); }
};
struct Sigmoid {
  HWY_INLINE Float operator()(Float x) const { return SigmoidOf(x); }
};
struct Sqrt {
  HWY_INLINE Float operator()(Float x) const { return hn::Sqrt(x); }
};
struct Square {
  HWY_INLINE Float operator()(Float x) const { return hn::Mul(x, x); }
};
struct Tanh {
  HWY_INLINE Float operator()(Float x) const { return TanhOf(x); }
};

struct Celu {
  Float a;
  HWY_INLINE Float operator()(Float x) const {
    const Float below = hn::Mul(ExpMinusOneOfNegative(hn::Div(x, a)), a);
    return hn::IfThenElse(hn::Lt(x, Set(0.0F)), below, x);
  }
};

struct Clip {
  Float low;
  Float high;
  HWY_INLINE Float operator()(Float x) const {
    return AtMost(AtLeast(x, low), high);
  }
};

struct Elu {
  Float a;
  HWY_INLINE Float operator()(Float x) const {
    const Float below = hn::Mul(ExpMinusOneOfNegative(x), a);
    return hn::IfThenElse(hn::Lt(x, Set(0.0F)), below, x);
  }
};

struct Gelu {
  HWY_INLINE Float operator()(Float x) const {
    // Beyond, the tail rounds to 0.
    const Float size = AtMost(hn::Abs(x), Set(14.5F));
    const Float tail =
        hn::Mul(ExpOfMinusSquare(size, /*scale=*/0.5F), ScaledNormalTail(size));
    const Float above = hn::Sub(Set(1.0F), tail);
    const Float part = hn::IfThenElse(hn::Lt(x, Set(0.0F)), tail, above);
    return hn::Mul(x, part);
  }
};

struct GeluTanh {
  // x * (1 + tanh(v / 2)) / 2 = x / (1 + exp(-v)), where an error of v would
  // count as often as v is large: it is computed in two parts, high and low.
  HWY_INLINE Float operator()(Float x) const {
    const Float one = Set(1.0F);
    const Float cubic = Set(0x1.2444f2p-4F);  // 0.044715 * sqrt(8 / pi)
    const Float linear = Set(0x1.988454p0F);  // sqrt(8 / pi)
    // Beyond, exp(-v) rounds to 0.
    const Float size = AtMost(hn::Abs(x), Set(11.0F));
    const Float square = hn::Mul(size, size);
    const Float square_low = FusedMultiplyAdd(size, size, hn::Neg(square));
    const Float term = hn::Mul(cubic, square);
    Float low = FusedMultiplyAdd(cubic, square, hn::Neg(term));
    low = FusedMultiplyAdd(cubic, square_low, low);
    low = FusedMultiplyAdd(Set(0x1.49b16ap-29F), square, low);
    low = hn::Add(low, Set(-0x1.857936p-25F));
    const Float sum = hn::Add(linear, term);
    const Float term_part = hn::Sub(sum, linear);
    const Float linear_part = hn::Sub(sum, term_part);
    low = hn::Add(
        low, hn::Add(hn::Sub(linear, linear_part), hn::Sub(term, term_part)));
    const Float v = hn::Mul(size, sum);
    const Float v_low =
        FusedMultiplyAdd(size, low, FusedMultiplyAdd(size, sum, hn::Neg(v)));
    const Float rough = ExpOfNegative(hn::Neg(v));
    const Float exp = FusedMultiplyAdd(rough, hn::Neg(v_low), rough);
    const Float numerator = hn::IfThenElse(hn::Lt(x, Set(0.0F)), exp, one);
    return hn::Mul(x, hn::Div(numerator, hn::Add(one, exp)));
  }
};

struct HardSigmoid {
  Float a;
  Float b;
  HWY_INLINE Float operator()(Float x) const {
    return AtMost(AtLeast(FusedMultiplyAdd(x, a, b), Set(0.0F)), Set(1.0F));
  }
};

struct HardSwish {
  HWY_INLINE Float operator()(Float x) const {
    const HardSigmoid gate{Set(1.0F / 6.0F), Set(0.5F)};
    return hn::Mul(x, gate(x));
  }
};

struct LeakyRelu {
  Float a;
  HWY_INLINE Float operator()(Float x) const {
    return hn::IfThenElse(hn::Lt(x, Set(0.0F)), hn::Mul(x, a), x);
  }
};

struct Mish {
  // tanh(log(1 + e)) = (e^2 + 2 e) / (e^2 + 2 e + 2) with e = exp(x).
  HWY_INLINE Float operator()(Float x) const {
    // Above, the fraction rounds to 1.
    const Float e = ExpOf(AtMost(x, Set(20.0F)));
    const Float part = FusedMultiplyAdd(e, e, hn::Add(e, e));
    return hn::Mul(x, hn::Div(part, hn::Add(part, Set(2.0F))));
  }
};

struct Reciprocal {
  HWY_INLINE Float operator()(Float x) const { return hn::Div(Set(1.0F), x); }
};

struct Relu {
  HWY_INLINE Float operator()(Float x) const {
    const Float zero = Set(0.0F);
    return AtLeast(hn::Add(x, zero), zero);  // -0 becomes +0.
  }
};

struct Selu {
  Float a;
  Float b;
  HWY_INLINE Float operator()(Float x) const {
    const Float below = hn::Mul(ExpMinusOneOfNegative(x), a);
    return hn::Mul(hn::IfThenElse(hn::Lt(x, Set(0.0F)), below, x), b);
  }
};

struct Sign {
  HWY_INLINE Float operator()(Float x) const {
    const Float zero = Set(0.0F);
    const Float sign = hn::CopySign(Set(1.0F), x);
    const Float rest = hn::Add(x, zero);  // Zero or NaN.
    const Float negative = hn::IfThenElse(hn::Lt(x, zero), sign, rest);
    return hn::IfThenElse(hn::Lt(zero, x), sign, negative);
  }
};

struct Softplus {
  HWY_INLINE Float operator()(Float x) const {
    const Float exp = ExpOfNegative(hn::Neg(hn::Abs(x)));
    return hn::Add(AtLeast(x, Set(0.0F)), LogOfOnePlus(exp));
  }
};

struct Softsign {
  HWY_INLINE Float operator()(Float x) const {
    return hn::Div(x, hn::Add(Set(1.0F), hn::Abs(x)));
  }
};

struct Swish {
  Float a;
  HWY_INLINE Float operator()(Float x) const {
    return hn::Mul(x, SigmoidOf(hn::Mul(x, a)));
  }
};

struct ThresholdedRelu {
  Float a;
  HWY_INLINE Float operator()(Float x) const {
    return hn::IfThenElse(hn::Le(x, a), Set(0.0F), x);
  }
};

}  // namespace

void ApplyOfTarget(Function function, const Parameters& parameters,
                   std::size_t size, const float* input, float* output) {
  const auto each = [&](const auto& of_vector)
                        HWY_ATTR { ForEach(size, input, output, of_vector); };
  const Float a = Set(parameters.a);
  const Float b = Set(parameters.b);
  switch (function) {
    // clang-format off
    case Function::kAbs: return each(Abs{});
    case Function::kCeil: return each(Ceil{});
    case Function::kCelu: return each(Celu{a});
    case Function::kClip: return each(Clip{a, b});
    case Function::kElu: return each(Elu{a});
    case Function::kErf: return each(Erf{});
    case Function::kExp: return each(Exp{});
    case Function::kFloor: return each(Floor{});
    case Function::kGelu: return each(Gelu{});
    case Function::kGeluTanh: return each(GeluTanh{});
    case Function::kHardSigmoid: return each(HardSigmoid{a, b});
    case Function::kHardSwish: return each(HardSwish{});
    case Function::kLeakyRelu: return each(LeakyRelu{a});
    case Function::kLog: return each(Log{});
    case Function::kMish: return each(Mish{});
    case Function::kNeg: return each(Neg{});
    case Function::kReciprocal: return each(Reciprocal{});
    case Function::kRelu: return each(Relu{});
    case Function::kRound: return each(Round{});
    case Function::kSelu: return each(Selu{a, b});
    case Function::kSigmoid: return each(Sigmoid{});
    case Function::kSign: return each(Sign{});
    case Function::kSoftplus: return each(Softplus{});
    case Function::kSoftsign: return each(Softsign{});
    case Function::kSqrt: return each(Sqrt{});
    case Function::kSquare: return each(Square{});
    case Function::kSwish: return each(Swish{a});
    case Function::kTanh: return each(Tanh{});
    case Function::kThresholdedRelu: return each(ThresholdedRelu{a});
      // clang-format on
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments): a macro, not a name.
}  // namespace relu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace relu::kernels {

HWY_EXPORT(ApplyOfTarget);

void Apply(Function function, const Parameters& parameters, std::size_t size,
           const float* input, float* output) {
  HWY_DYNAMIC_DISPATCH(ApplyOfTarget)
  (function, parameters, size, input, output);
}

}  // namespace relu::kernels
#endif  // HWY_ONCE
