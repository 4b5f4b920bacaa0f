// NaN and infinity among the values of a tensor.

#ifndef CORE_RELU_NONFINITE_H_
#define CORE_RELU_NONFINITE_H_

#include <cstddef>

#include "absl/functional/function_ref.h"

#include "core/tensor/data_type.h"

namespace relu {

// Whether none of the elements is NaN or infinite; integers never are. Takes
// about as long as reading them. `values` needs no alignment.
bool AllFinite(DataType type, std::size_t elements, const std::byte* values);

// Calls `visit` with the index and the value of each that is, in order.
void VisitNonfinite(
    DataType type, std::size_t elements, const std::byte* values,
    absl::FunctionRef<void(std::size_t element, double value)> visit);

}  // namespace relu

#endif  // CORE_RELU_NONFINITE_H_
