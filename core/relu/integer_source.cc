#include "core/relu/integer_source.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "core/base/check.h"
#include "core/graph/elements.h"
#include "core/relu/interval.h"
#include "core/tensor/data_type.h"
#include "core/tensor/element.h"

namespace relu {
namespace {

// Calls `visit` with a value of the C++ type.
template <typename Visit>
auto VisitIntegerType(DataType type, Visit visit) {
  return VisitType(type, [&]<typename T>(T zero) {
    if constexpr (std::is_integral_v<T>) {
      return visit(zero);
    } else {
      CHECK(false);
      return visit(std::int64_t{});
    }
  });
}

// The element as Number holds it.
template <typename Number>
Number ReadInteger(const IntegerSource& source, double element) {
  const double number =
      source.is_float ? double{static_cast<float>(element)} : element;
  return VisitIntegerType(source.read_as, [&]<typename T>(T /*zero*/) {
    return static_cast<Number>(ToInteger<T>(number));
  });
}

// Where overflow is defined: without sign.
std::int64_t WrappedProduct(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) *
                                   static_cast<std::uint64_t>(b));
}

std::int64_t WrappedSum(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) +
                                   static_cast<std::uint64_t>(b));
}

bool IsWithin(const Interval& integers, DataType type) {
  return integers.low >= SmallestOf(type) && integers.high <= LargestOf(type);
}

}  // namespace

IntegerSource ElementSource(std::size_t element, DataType type) {
  const DataType integers = type == DataType::kBool ? DataType::kUint8 : type;
  return {.element = element, .read_as = integers, .type = integers};
}

std::int64_t IntegerOf(const IntegerSource& source, double element) {
  const std::int64_t integer = WrappedSum(
      WrappedProduct(ReadInteger<std::int64_t>(source, element), source.scale),
      source.shift);
  return VisitIntegerType(source.type, [&]<typename T>(T /*zero*/) {
    return static_cast<std::int64_t>(static_cast<T>(integer));
  });
}

Interval IntegersOf(const IntegerSource& source, const Interval& elements) {
  // Up to here double is exact.
  constexpr double kMostExact = 0x1p53;
  const auto scale = static_cast<double>(source.scale);
  const auto shift = static_cast<double>(source.shift);
  const auto first = ReadInteger<double>(source, elements.low);
  const auto last = ReadInteger<double>(source, elements.high);
  const double a = first * scale + shift;
  const double b = last * scale + shift;
  const Interval integers{.low = std::min(a, b), .high = std::max(a, b)};
  const double size =
      std::max(std::abs(first), std::abs(last)) * std::abs(scale) +
      std::abs(shift);
  const bool is_read = source.scale == 1 && source.shift == 0;
  if ((size < kMostExact || is_read) && IsWithin(integers, source.type)) {
    return integers;
  }
  return {.low = SmallestOf(source.type), .high = LargestOf(source.type)};
}

void Multiply(IntegerSource& source, std::int64_t factor) {
  source.scale = WrappedProduct(source.scale, factor);
  source.shift = WrappedProduct(source.shift, factor);
}

void Add(IntegerSource& source, std::int64_t summand) {
  source.shift = WrappedSum(source.shift, summand);
}

bool CastTo(DataType type, IntegerSource& source) {
  constexpr double kAnything = std::numeric_limits<double>::infinity();
  if (DataTypeSize(type) > DataTypeSize(source.type)) {
    IntegerSource unwrapped = source;
    unwrapped.type = DataType::kInt64;
    if (!IsWithin(IntegersOf(unwrapped, {-kAnything, kAnything}),
                  source.type)) {
      return false;
    }
  }
  source.type = type;
  return true;
}

}  // namespace relu
