#include "core/relu/nonfinite.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/functional/function_ref.h"

#include "core/kernels/value_range.h"
#include "core/tensor/element.h"

namespace relu {
namespace {

// Whether all bits of `exponent` are set in any of the elements, which is what
// NaN and infinity have in every format of IEEE 754.
template <typename Bits>
bool AnyHasExponent(Bits exponent, std::size_t elements,
                    const std::byte* values) {
  bool any = false;
  for (std::size_t i = 0; i < elements; ++i) {
    Bits bits{};
    std::memcpy(&bits, values + i * sizeof(Bits), sizeof(Bits));
    any |= (bits & exponent) == exponent;
  }
  return any;
}

}  // namespace

bool AllFinite(DataType type, std::size_t elements, const std::byte* values) {
  switch (type) {
    case DataType::kFp32:
      return kernels::AllFinite(elements, values);
    case DataType::kFp64:
      return !AnyHasExponent(std::uint64_t{0x7FF0'0000'0000'0000}, elements,
                             values);
    case DataType::kFp16:
      return !AnyHasExponent(std::uint16_t{0x7C00}, elements, values);
    case DataType::kBf16:
      return !AnyHasExponent(std::uint16_t{0x7F80}, elements, values);
    default:
      return true;
  }
}

void VisitNonfinite(
    DataType type, std::size_t elements, const std::byte* values,
    absl::FunctionRef<void(std::size_t element, double value)> visit) {
  VisitType(type, [&](auto element) {
    for (std::size_t i = 0; i < elements; ++i) {
      std::memcpy(&element, values + i * sizeof(element), sizeof(element));
      const auto value = ElementAs<double>(element);
      if (!std::isfinite(value)) {
        visit(i, value);
      }
    }
  });
}

}  // namespace relu
