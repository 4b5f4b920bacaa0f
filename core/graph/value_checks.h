// What every value of a graph is checked for: its size, and that constants are
// numbers.

#ifndef CORE_GRAPH_VALUE_CHECKS_H_
#define CORE_GRAPH_VALUE_CHECKS_H_

#include <string_view>

#include "absl/status/status.h"

#include "core/graph/operators.h"
#include "core/tensor/tensor.h"

namespace relu {

// UNIMPLEMENTED, naming the value, if it has too many dimensions, or elements
// in a row.
absl::Status CheckSize(std::string_view name, const ValueType& type);

// UNIMPLEMENTED if the value has rows, and they have no element: nobody needs
// them, and nothing later has to think of them.
absl::Status CheckRowSize(std::string_view name, const ValueType& type);

// INVALID_ARGUMENT, naming the constant, if an element is NaN or infinite.
absl::Status CheckFinite(std::string_view name, const Tensor& tensor);

}  // namespace relu

#endif  // CORE_GRAPH_VALUE_CHECKS_H_
