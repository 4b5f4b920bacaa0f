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
#include "core/tensor/element.h"
#include "core/tensor/float16.h"

namespace relu {
namespace {

template <typename T>
T Store(double value) {
  if constexpr (std::is_same_v<T, Half>) {
    return {.bits = FloatToFp16(static_cast<float>(value))};
  } else if constexpr (std::is_same_v<T, BrainFloat>) {
    return {.bits = FloatToBf16(static_cast<float>(value))};
  } else if constexpr (std::is_same_v<T, Boolean>) {
    return {.byte = static_cast<std::uint8_t>(value != 0)};
  } else if constexpr (std::is_integral_v<T>) {
    return ToInteger<T>(value);
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
    std::ranges::transform(tensor.As<T>(), numbers.begin(), [](T element) {
      return ElementAs<Number>(element);
    });
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

double LargestOf(DataType type) {
  return VisitType(type, [](auto element) {
    using T = decltype(element);
    if constexpr (std::is_same_v<T, Half>) {
      return 65504.0;
    } else if constexpr (std::is_same_v<T, BrainFloat>) {
      return 0x1.FEp127;
    } else if constexpr (std::is_same_v<T, Boolean>) {
      return 1.0;
    } else {
      return static_cast<double>(std::numeric_limits<T>::max());
    }
  });
}

double SmallestOf(DataType type) {
  return VisitType(type, [type](auto element) {
    using T = decltype(element);
    if constexpr (std::is_integral_v<T>) {
      return static_cast<double>(std::numeric_limits<T>::min());
    } else {
      return type == DataType::kBool ? 0.0 : -LargestOf(type);
    }
  });
}

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

void RoundTo(DataType type, std::span<double> values) {
  VisitType(type, [&](auto zero) {
    using T = decltype(zero);
    std::ranges::transform(values, values.begin(), [](double value) {
      return ElementAs<double>(Store<T>(value));
    });
  });
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
      return std::isfinite(ElementAs<double>(element));
    });
  });
}

}  // namespace relu
