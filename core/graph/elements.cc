#include "core/graph/elements.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include "core/base/check.h"
#include "core/tensor/float16.h"

namespace relu {
namespace {

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
Number Load(T element) {
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

template <typename T>
T RoundToInteger(double value) {
  using Limits = std::numeric_limits<T>;
  if (std::isnan(value)) {
    return 0;
  }
  if (value >= std::ldexp(1.0, Limits::digits)) {
    return Limits::max();
  }
  return value <= static_cast<double>(Limits::min()) ? Limits::min()
                                                     : static_cast<T>(value);
}

template <typename T>
T Store(double value) {
  if constexpr (std::is_same_v<T, Half>) {
    return {.bits = FloatToFp16(static_cast<float>(value))};
  } else if constexpr (std::is_same_v<T, BrainFloat>) {
    return {.bits = FloatToBf16(static_cast<float>(value))};
  } else if constexpr (std::is_same_v<T, Boolean>) {
    return {.byte = static_cast<std::uint8_t>(value != 0)};
  } else if constexpr (std::is_integral_v<T>) {
    return RoundToInteger<T>(value);
  } else {
    return static_cast<T>(value);
  }
}

template <typename T>
T Store(std::int64_t value) {
  if constexpr (std::is_same_v<T, Boolean>) {
    return {.byte = static_cast<std::uint8_t>(value != 0)};
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(value);
  } else {
    CHECK(false);  // The callers ask for integers alone.
    return T{};
  }
}

template <typename Number>
std::vector<Number> ToNumbers(const Tensor& tensor) {
  std::vector<Number> numbers(static_cast<std::size_t>(tensor.element_count()));
  VisitType(tensor.type(), [&](auto zero) {
    using T = decltype(zero);
    std::ranges::transform(tensor.As<T>(), numbers.begin(),
                           [](T element) { return Load<Number>(element); });
  });
  return numbers;
}

template <typename Number>
Tensor FromNumbers(DataType type, const Shape& shape,
                   std::span<const Number> numbers) {
  Tensor tensor(type, shape);
  CHECK(numbers.size() == static_cast<std::size_t>(tensor.element_count()));
  VisitType(type, [&](auto zero) {
    using T = decltype(zero);
    std::ranges::transform(numbers, tensor.As<T>().begin(),
                           [](Number number) { return Store<T>(number); });
  });
  return tensor;
}

}  // namespace

bool IsFloatingPoint(DataType type) {
  return type == DataType::kFp64 || type == DataType::kFp32 ||
         type == DataType::kFp16 || type == DataType::kBf16;
}

std::vector<double> ToDoubles(const Tensor& tensor) {
  return ToNumbers<double>(tensor);
}

Tensor FromDoubles(DataType type, const Shape& shape,
                   std::span<const double> values) {
  return FromNumbers(type, shape, values);
}

std::vector<std::int64_t> ToIntegers(const Tensor& tensor) {
  CHECK(!IsFloatingPoint(tensor.type()));
  return ToNumbers<std::int64_t>(tensor);
}

Tensor FromIntegers(DataType type, const Shape& shape,
                    std::span<const std::int64_t> values) {
  CHECK(!IsFloatingPoint(type));
  return FromNumbers(type, shape, values);
}

bool IsFinite(const Tensor& tensor) {
  return VisitType(tensor.type(), [&](auto zero) {
    using T = decltype(zero);
    return std::ranges::all_of(tensor.As<T>(), [](T element) {
      return std::isfinite(Load<double>(element));
    });
  });
}

}  // namespace relu
