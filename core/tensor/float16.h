// Half precision and bfloat16 to and from float32, exact or rounded to nearest
// even (IEEE 754); NaN stays NaN.

#ifndef CORE_TENSOR_FLOAT16_H_
#define CORE_TENSOR_FLOAT16_H_

#include <cstdint>

namespace relu {

float Fp16ToFloat(std::uint16_t bits);
std::uint16_t FloatToFp16(float value);

float Bf16ToFloat(std::uint16_t bits);
std::uint16_t FloatToBf16(float value);

}  // namespace relu

#endif  // CORE_TENSOR_FLOAT16_H_
