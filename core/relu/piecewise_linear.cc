#include "core/relu/piecewise_linear.h"

#include <cmath>
#include <cstddef>
#include <limits>

#include "core/kernels/piecewise.h"

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

kernels::Line LineOf(const LinearPiece& piece) {
  return {.slope = piece.slope, .offset = piece.offset};
}

// Of a function with one kink.
kernels::TwoLines TwoLinesOf(const PiecewiseLinear& function) {
  return {.beyond = function.beyond[0],
          .low = LineOf(function.pieces[0]),
          .high = LineOf(function.pieces[1])};
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
  if (function.kinks == 1 && size > 1) {
    return kernels::Apply(TwoLinesOf(function), size, input, output);
  }
  for (std::size_t i = 0; i < size; ++i) {
    const float x = input[i];
    output[i] = std::isnan(x) ? x : function.pieces[function.PieceOf(x)].At(x);
  }
}

void AddSlopes(const PiecewiseLinear& function, std::size_t size,
               const float* input, const float* output_adjoint,
               float* input_adjoint) {
  if (function.kinks == 1 && size > 1) {
    return kernels::AddSlopes(TwoLinesOf(function), size, input, output_adjoint,
                              input_adjoint);
  }
  for (std::size_t i = 0; i < size; ++i) {
    input_adjoint[i] +=
        function.pieces[function.PieceOf(input[i])].slope * output_adjoint[i];
  }
}

}  // namespace relu
