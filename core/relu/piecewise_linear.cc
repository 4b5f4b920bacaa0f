#include "core/relu/piecewise_linear.h"

#include <cmath>
#include <cstddef>
#include <limits>

namespace relu {
namespace {

constexpr float kLargest = std::numeric_limits<float>::max();

// Joins `line` to the last piece, at `kink`.
void AddPiece(float kink, const LinearPiece& line, PiecewiseLinear& function) {
  const std::size_t i = function.kinks++;
  function.kink_at[i] = kink;
  function.pieces[i + 1] = line;
  const bool takes_right =
      std::abs(line.slope) < std::abs(function.pieces[i].slope);
  function.beyond[i] = takes_right ? std::nextafter(kink, -kLargest) : kink;
}

// The loops below have no branches for the compiler to keep: a network has
// about as many signs of each kind, in no order.
struct OneKink {
  explicit OneKink(const PiecewiseLinear& function)
      : beyond(function.beyond[0]),
        low(function.pieces[0]),
        high(function.pieces[1]) {}

  float beyond;
  LinearPiece low;
  LinearPiece high;
};

void ApplyOneKink(const OneKink& kink, std::size_t size, const float* input,
                  float* output) {
  for (std::size_t i = 0; i < size; ++i) {
    const float x = input[i];
    const float low = kink.low.At(x);
    const float high = kink.high.At(x);
    const float below = x <= kink.beyond ? low : x;  // NaN is neither.
    output[i] = x > kink.beyond ? high : below;
  }
}

}  // namespace

PiecewiseLinear LeakyRelu(float slope) {
  PiecewiseLinear function;
  function.pieces[0] = {.slope = slope, .offset = 0.0F};
  AddPiece(0.0F, {}, function);
  return function;
}

PiecewiseLinear Clip(float min, float max) {
  PiecewiseLinear function;
  if (min > -kLargest) {
    function.pieces[0] = {.slope = 0.0F, .offset = min};
    AddPiece(min, {}, function);
  }
  if (max < kLargest) {
    AddPiece(max, {.slope = 0.0F, .offset = max}, function);
  }
  return function;
}

PiecewiseLinear Abs() { return LeakyRelu(-1.0F); }

void Apply(const PiecewiseLinear& function, std::size_t size,
           const float* input, float* output) {
  if (function.kinks == 1) {
    return ApplyOneKink(OneKink(function), size, input, output);
  }
  for (std::size_t i = 0; i < size; ++i) {
    const float x = input[i];
    output[i] = std::isnan(x) ? x : function.pieces[function.PieceOf(x)].At(x);
  }
}

void AddSlopes(const PiecewiseLinear& function, std::size_t size,
               const float* input, const float* output_adjoint,
               float* input_adjoint) {
  if (function.kinks == 1) {
    const OneKink kink(function);
    for (std::size_t i = 0; i < size; ++i) {
      const float slope =
          input[i] > kink.beyond ? kink.high.slope : kink.low.slope;
      input_adjoint[i] += slope * output_adjoint[i];
    }
    return;
  }
  for (std::size_t i = 0; i < size; ++i) {
    input_adjoint[i] +=
        function.pieces[function.PieceOf(input[i])].slope * output_adjoint[i];
  }
}

}  // namespace relu
