// Kernels over the values of one row: functions of one, two and three values,
// normalisation. The rules of core/kernels/kernels.h hold here too.

#ifndef CORE_KERNELS_ELEMENTWISE_H_
#define CORE_KERNELS_ELEMENTWISE_H_

#include <cstddef>
#include <cstdint>

namespace relu::kernels {

// y = f(x), by the definitions of ONNX, with up to two parameters a and b.
// Where nothing else is said the result is the exact one, rounded once, and NaN
// gives NaN. The bounds are relative errors, of 2^-126 where the result is
// below that; for Gelu, Mish and Swish 2^-118. An infinity times 0 is NaN: so
// are Gelu, Mish and Swish of -infinity, as IEEE arithmetic on their
// definitions gives it.
enum class Function : std::uint8_t {
  kAbs,
  kCeil,
  kCelu,  // x < 0: a * (exp(x / a) - 1); 3e-7 where x / a is exact
  kClip,  // min(max(x, a), b)
  kElu,   // x < 0: a * (exp(x) - 1); 3e-7
  kErf,   // 2e-7
  kExp,   // 1e-7
  kFloor,
  kGelu,         // x * Phi(x); 4e-7
  kGeluTanh,     // x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2;
                 // 4e-7
  kHardSigmoid,  // max(0, min(1, a * x + b)), one rounding
  kHardSwish,    // x * max(0, min(1, x / 6 + 0.5)); absolute: 2e-7 * |x|
  kLeakyRelu,    // x < 0: a * x
  kLog,          // 2e-7
  kMish,         // x * tanh(log(1 + exp(x))); 4e-7
  kNeg,
  kReciprocal,
  kRelu,     // -0 becomes +0, as in Dense()
  kRound,    // Ties to even.
  kSelu,     // b * (x < 0: a * (exp(x) - 1), x > 0: x); 3e-7
  kSigmoid,  // 2e-7
  kSign,
  kSoftplus,  // log(1 + exp(x)); 3e-7
  kSoftsign,  // x / (1 + |x|); 2e-7
  kSqrt,
  kSquare,
  kSwish,            // x / (1 + exp(-a * x)); 3e-7 where a * x is exact
  kTanh,             // 2e-7
  kThresholdedRelu,  // x <= a: 0
};

struct Parameters {
  float a = 0.0F;
  float b = 0.0F;
};

// output[i] = f(input[i]); input may be output.
void Apply(Function function, const Parameters& parameters, std::size_t size,
           const float* input, float* output);

// Of two values. NaN gives NaN, but for Pow as IEEE 754 says.
enum class BinaryFunction : std::uint8_t {
  kAdd,
  kDiv,
  kMax,
  kMin,
  kMul,
  kPRelu,  // x < 0: x * y
  kPow,    // 1e-7, from denormal results to the limits
  kSub,
};

// output[i] = f(x[i], y[i]); x and y may be output.
void Apply(BinaryFunction function, std::size_t size, const float* x,
           const float* y, float* output);

// output[i] = fma(x[i], scale[i], shift[i]); x may be output.
void Affine(std::size_t size, const float* x, const float* scale,
            const float* shift, float* output);

// Log of Softmax(): x - max(x) - log(sum of exp(x - max(x))), all but exp in
// double. Relative error 3e-7. Any NaN makes all outputs NaN, and so does an
// infinite maximum. Input may be output.
void LogSoftmax(std::size_t size, const float* input, float* output);

struct LayerNormalization {
  const float* scale = nullptr;  // [size]
  const float* shift = nullptr;  // [size], or nullptr for zeros.
  float epsilon = 0.0F;
};

// output[i] = (x[i] - mean) / sqrt(variance + epsilon) * scale[i] + shift[i],
// in double, rounded once. The sums take every eighth value together, then
// those eight in pairs: an order that depends on `size` alone. `size` >= 1;
// input may be output.
void LayerNorm(const LayerNormalization& layer, std::size_t size,
               const float* input, float* output);

}  // namespace relu::kernels

#endif  // CORE_KERNELS_ELEMENTWISE_H_
