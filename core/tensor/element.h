// Elements of tensors as C++ types, and as numbers whatever type they have.

#ifndef CORE_TENSOR_ELEMENT_H_
#define CORE_TENSOR_ELEMENT_H_

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "core/tensor/data_type.h"
#include "core/tensor/float16.h"

namespace relu {

// Half-precision elements: their bits, told apart from integers.
struct Half {
  std::uint16_t bits = 0;
};
struct BrainFloat {
  std::uint16_t bits = 0;
};
// Any byte but 0 is true, other than in a C++ bool.
struct Boolean {
  std::uint8_t byte = 0;
};

// Calls `visit` with a value of the C++ type of elements of `type`.
template <typename Visit>
auto VisitType(DataType type, Visit visit) {
  switch (type) {
    case DataType::kBool:
      return visit(Boolean{});
    case DataType::kUint8:
      return visit(std::uint8_t{});
    case DataType::kUint16:
      return visit(std::uint16_t{});
    case DataType::kUint32:
      return visit(std::uint32_t{});
    case DataType::kUint64:
      return visit(std::uint64_t{});
    case DataType::kInt8:
      return visit(std::int8_t{});
    case DataType::kInt16:
      return visit(std::int16_t{});
    case DataType::kInt32:
      return visit(std::int32_t{});
    case DataType::kInt64:
      return visit(std::int64_t{});
    case DataType::kFp16:
      return visit(Half{});
    case DataType::kBf16:
      return visit(BrainFloat{});
    case DataType::kFp32:
      return visit(float{});
    case DataType::kFp64:
      break;
  }
  return visit(double{});
}

// Any element as a number, double or std::int64_t.
template <typename Number, typename T>
Number ElementAs(T element) {
  if constexpr (std::is_same_v<T, Half>) {
    return static_cast<Number>(Fp16ToFloat(element.bits));
  } else if constexpr (std::is_same_v<T, BrainFloat>) {
    return static_cast<Number>(Bf16ToFloat(element.bits));
  } else if constexpr (std::is_same_v<T, Boolean>) {
    return static_cast<Number>(element.byte != 0 ? 1 : 0);
  } else {
    return static_cast<Number>(element);
  }
}

// A number as an integer: towards zero, kept within the range of the type; 0
// for NaN.
template <typename Integer, typename Number>
Integer ToInteger(Number number) {
  using Limits = std::numeric_limits<Integer>;
  const Number above = std::ldexp(Number{1}, Limits::digits);
  if (std::isnan(number)) {
    return 0;
  }
  if (number >= above) {
    return Limits::max();
  }
  if (number <= (std::is_signed_v<Integer> ? -above : Number{-1})) {
    return Limits::min();
  }
  return static_cast<Integer>(number);
}

}  // namespace relu

#endif  // CORE_TENSOR_ELEMENT_H_
