// Power(): x to the power of y.

#ifndef CORE_KERNELS_POWER_H_
#define CORE_KERNELS_POWER_H_

namespace relu::kernels {

// As IEEE 754 defines pow, special cases included: a negative x has a power
// for whole y alone, else NaN; anything to the power of 0, and 1 to the power
// of anything, is 1. In double, rounded once.
float Power(float x, float y);

}  // namespace relu::kernels

#endif  // CORE_KERNELS_POWER_H_
