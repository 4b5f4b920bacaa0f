// Kernels over the values of one row of a network of linear layers and
// functions of straight pieces: forwards, backwards, and what is told of both.
// The rules of core/kernels/kernels.h hold here too.

#ifndef CORE_KERNELS_PIECEWISE_H_
#define CORE_KERNELS_PIECEWISE_H_

#include <cstddef>

namespace relu::kernels {

// y = slope * x + offset; offset where the slope is 0, of infinities too.
struct Line {
  float slope = 1.0F;
  float offset = 0.0F;
};

// A function with one kink: `high` where x > beyond, else `low`. NaN stays NaN.
struct TwoLines {
  float beyond = 0.0F;
  Line low;
  Line high;
};

// output[i] = function(input[i]); no overlap.
void Apply(const TwoLines& function, std::size_t size, const float* input,
           float* output);

// input_adjoint[i] += slope at input[i] * output_adjoint[i], rounded twice. The
// slope at NaN is that of `low`. No overlap.
void AddSlopes(const TwoLines& function, std::size_t size, const float* input,
               const float* output_adjoint, float* input_adjoint);

// How many i have |values[i] - kink| < size_of_input * slopes[i] + offsets[i],
// rounded twice.
std::size_t CountNear(float kink, float size_of_input, std::size_t size,
                      const float* values, const float* slopes,
                      const float* offsets);

// The sum of the values. It takes every eighth value together, then what is
// left of them after the last eight, and adds these eight, in order.
double Sum(std::size_t size, const double* values);

// The sum of products a[i] * b[i], which are exact: in the order of Sum().
double SumOfProducts(std::size_t size, const float* a, const float* b);

// gradient[i] = slopes[i]; contributions[i] += slopes[i] * values[i]. No
// overlap.
void AddContributions(std::size_t size, const float* slopes,
                      const float* values, double* gradient,
                      double* contributions);

// rounded[i] = numbers[i] as a float32. Whether all are finite then. No
// overlap.
bool RoundToFloats(std::size_t size, const double* numbers, double* rounded);

}  // namespace relu::kernels

#endif  // CORE_KERNELS_PIECEWISE_H_
