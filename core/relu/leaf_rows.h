// From the tensors of a request to the leaves of a PiecewiseNetwork.

#ifndef CORE_RELU_LEAF_ROWS_H_
#define CORE_RELU_LEAF_ROWS_H_

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/relu/piecewise_network.h"
#include "core/tensor/tensor.h"

namespace relu {

// The elements of all inputs, row by row, as doubles. `what` the tensors are is
// for messages: "input" or "baseline".
struct InputRows {
  std::int64_t rows = 0;
  std::vector<double> elements;  // [rows, network.input_elements]
};

// INVALID_ARGUMENT if they are not the inputs of the network, of their types
// and shapes with the same number of rows first, or not finite.
absl::StatusOr<InputRows> ReadInputRows(const PiecewiseNetwork& network,
                                        std::span<const Tensor> tensors,
                                        std::string_view what);

// Rows of one input, as a client names them.
struct NamedRows {
  std::string_view name;
  std::span<const std::int64_t> shape;  // With the rows first.
  std::span<const double> data;         // Row-major.
};

// The same of inputs by name, in any order. Numbers are rounded to the types of
// the inputs. INVALID_ARGUMENT, besides, if an input is there twice or not at
// all, or a number is no integer where these are wanted.
absl::StatusOr<InputRows> ReadInputRows(const PiecewiseNetwork& network,
                                        std::span<const NamedRows> named,
                                        std::string_view what);

// Sets the leaves in `values`, one row of the network, from a row of
// InputRows::elements. INVALID_ARGUMENT if an index is outside of its table, or
// an integer beyond 2^53 becomes a float.
absl::Status FillLeaves(const PiecewiseNetwork& network,
                        std::span<const double> elements, float* values);

}  // namespace relu

#endif  // CORE_RELU_LEAF_ROWS_H_
