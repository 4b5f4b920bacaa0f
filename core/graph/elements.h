// Elements of tensors as doubles or as integers, whatever type they have, for
// the interpreter.

#ifndef CORE_GRAPH_ELEMENTS_H_
#define CORE_GRAPH_ELEMENTS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {

// FP64, FP32, FP16 and BF16. All other types are integers here, BOOL too.
bool IsFloatingPoint(DataType type);

// The largest and the smallest number that a type has, rounded to double.
double LargestOf(DataType type);
double SmallestOf(DataType type);

// All elements. Integers beyond 2^53 are rounded.
std::vector<double> ToDoubles(const Tensor& tensor);

// A tensor of these values, one for each element, rounded to `type`: to nearest
// for floating-point types; towards zero, kept within the type's range and 0
// for NaN, for integers. BOOL: whether it is not zero.
Tensor FromDoubles(DataType type, const Shape& shape,
                   std::span<const double> values);

// Makes of each value what a tensor of `type` holds of it, as FromDoubles()
// says.
void RoundTo(DataType type, std::span<double> values);

// All elements of a tensor of integers, exactly; UINT64 modulo 2^64.
std::vector<std::int64_t> ToIntegers(const Tensor& tensor);

// A tensor of integers of these values, modulo 2^bits of `type`. BOOL: whether
// it is not zero.
Tensor FromIntegers(DataType type, const Shape& shape,
                    std::span<const std::int64_t> values);

// For numbers of any type: no integer is NaN.
template <typename Number>
bool IsNan(Number value) {
  return value != value;
}

// Whether no element is NaN or infinite.
bool IsFinite(const Tensor& tensor);

}  // namespace relu

#endif  // CORE_GRAPH_ELEMENTS_H_
