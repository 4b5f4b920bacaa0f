// PiecewiseLinear: a continuous function of one number, made of straight
// pieces: Relu, LeakyRelu, PRelu, Clip and Abs.

#ifndef CORE_RELU_PIECEWISE_LINEAR_H_
#define CORE_RELU_PIECEWISE_LINEAR_H_

#include <array>
#include <cstddef>

namespace relu {

// y = slope * x + offset.
struct LinearPiece {
  float slope = 1.0F;
  float offset = 0.0F;

  // An infinite x has a finite value where the line is level.
  template <typename Real>
  Real At(Real x) const {
    return slope == 0.0F ? Real{offset} : Real{slope} * x + Real{offset};
  }
};

struct PiecewiseLinear {
  static constexpr std::size_t kMostKinks = 2;

  std::size_t kinks = 0;  // 0 to kMostKinks.
  // Where it bends, ascending: pieces[i] ends at kink_at[i].
  std::array<float, kMostKinks> kink_at{};
  std::array<LinearPiece, kMostKinks + 1> pieces{};
  // x is beyond kink i if x > beyond[i]. That is how the kink itself gets its
  // slope: of the two beside it the one that is closer to zero, and if both are
  // as close, the left one. So ReLU'(0) = 0.
  std::array<float, kMostKinks> beyond{};

  // The piece that holds x. NaN is on the first.
  std::size_t PieceOf(float x) const {
    std::size_t piece = 0;
    for (std::size_t i = 0; i < kinks; ++i) {
      piece += x > beyond[i] ? 1U : 0U;
    }
    return piece;
  }
};

// x beyond 0, `slope` times x below.
PiecewiseLinear LeakyRelu(float slope);
// x between the bounds. A bound that is infinite, or the largest float, is
// none.
PiecewiseLinear Clip(float min, float max);
PiecewiseLinear Abs();

// output[i] = function(input[i]); NaN stays NaN.
void Apply(const PiecewiseLinear& function, std::size_t size,
           const float* input, float* output);

// input_adjoint[i] += slope at input[i] * output_adjoint[i].
void AddSlopes(const PiecewiseLinear& function, std::size_t size,
               const float* input, const float* output_adjoint,
               float* input_adjoint);

}  // namespace relu

#endif  // CORE_RELU_PIECEWISE_LINEAR_H_
