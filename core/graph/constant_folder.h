// ConstantFolder: computes nodes whose inputs are all constants, once, within
// limits.

#ifndef CORE_GRAPH_CONSTANT_FOLDER_H_
#define CORE_GRAPH_CONSTANT_FOLDER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/graph/graph.h"
#include "core/graph/operators.h"
#include "core/tensor/tensor.h"

namespace relu {

// A small file could ask for more memory or time than there is. So a node makes
// at most as many elements as the constants that the model gives have, or 2^20
// if they have fewer, and all nodes together four times as many, in at most
// 2^31 operations. Elements, not bytes: whatever their type, the interpreter
// has 8 bytes for each, up to three times, of nodes that EvaluateByRows() takes
// as a whole. For one thread.
class ConstantFolder {
 public:
  // Whether large results are given without elements, as those of which they
  // are computed may be.
  explicit ConstantFolder(bool outlines) : outlines_(outlines) {}

  // Adds to what the model gives.
  void AddGivenElements(std::int64_t count) { given_elements_ += count; }

  // The outputs of `node`. Nothing is allocated for them before the limits are
  // checked. `spare` is as in EvaluateByRows(). Errors: those of
  // EvaluateNode(); UNIMPLEMENTED beyond the limits.
  absl::StatusOr<std::vector<Tensor>> Fold(
      const Node& node, std::span<const ValueType> results,
      std::span<const Tensor* const> inputs, Tensor* spare = nullptr);
  // False once a result that is not large depends on elements that are not
  // there: it is zeros.
  bool is_certain() const { return is_certain_; }

 private:
  absl::Status Claim(const Node& node, std::span<const ValueType> results,
                     std::span<const Tensor* const> inputs);
  // The results if there is one that is left out, or needs what is.
  std::vector<Tensor> Outline(std::span<const ValueType> results);

  bool outlines_;
  bool is_certain_ = true;
  std::int64_t given_elements_ = 0;
  std::int64_t folded_elements_ = 0;
  std::int64_t operations_ = 0;
};

}  // namespace relu

#endif  // CORE_GRAPH_CONSTANT_FOLDER_H_
