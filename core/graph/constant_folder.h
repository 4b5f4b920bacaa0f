// ConstantFolder: computes nodes whose inputs are all constants, once, within
// limits.

#ifndef CORE_GRAPH_CONSTANT_FOLDER_H_
#define CORE_GRAPH_CONSTANT_FOLDER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

#include "core/graph/graph.h"
#include "core/graph/operators.h"
#include "core/tensor/tensor.h"

namespace relu {

// A small file could ask for more memory or time than there is. So all folded
// constants of a model together take at most 16 MiB or four times the constants
// that the model gives, and at most 2^31 operations. For one thread.
class ConstantFolder {
 public:
  // Adds to what the model gives.
  void AddGivenBytes(std::size_t bytes) { given_bytes_ += bytes; }

  // The outputs of `node`. Nothing is allocated for them before the limits are
  // checked. Errors: those of EvaluateNode(); UNIMPLEMENTED beyond the limits.
  absl::StatusOr<std::vector<Tensor>> Fold(
      const Node& node, std::span<const ValueType> results,
      std::span<const Tensor* const> inputs);

 private:
  std::size_t given_bytes_ = 0;
  std::size_t folded_bytes_ = 0;
  std::int64_t operations_ = 0;
};

}  // namespace relu

#endif  // CORE_GRAPH_CONSTANT_FOLDER_H_
