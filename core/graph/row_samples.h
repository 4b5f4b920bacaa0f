// RowSamples: a value that depends on the number of rows and on nothing else
// of a batch, as exporters compute it to reshape and to expand: the shape of an
// input, and what follows from it. It is known by its values for a few numbers
// of rows.

#ifndef CORE_GRAPH_ROW_SAMPLES_H_
#define CORE_GRAPH_ROW_SAMPLES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

#include "core/graph/graph.h"
#include "core/graph/operators.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {

// Immutable.
class RowSamples {
 public:
  // One row is special where sizes of 1 broadcast; the others have nothing in
  // common that a computation of sizes could stumble on.
  static constexpr std::array<std::int64_t, 5> kRows = {1, 2, 3, 7, 1009};

  // Sizes come in handfuls; what has more is no computation of sizes.
  static constexpr std::int64_t kMaxElements = 1024;

  // The same tensor for every number of rows.
  explicit RowSamples(const Tensor& constant);
  // The output of a Shape or Size of a value of shape `shape`.
  static std::vector<RowSamples> OfShape(const Node& node,
                                         const OutputTypes& types,
                                         const Shape& shape);

  // The outputs of a node for each of the numbers; nothing if one of them is
  // not known, has many elements, or has as many as there are rows.
  static std::vector<RowSamples> Evaluate(
      const Node& node, const OutputTypes& types,
      std::span<const RowSamples* const> inputs);

  // The value if it is the same for all numbers of rows, else nullptr.
  const Tensor* Constant() const;

  // The elements of a tensor of integers, `row_count` where one is the number
  // of rows. nullopt if one is neither that nor constant.
  std::optional<std::vector<std::int64_t>> Integers(
      std::int64_t row_count) const;

 private:
  explicit RowSamples(std::vector<Tensor> tensors);

  std::vector<Tensor> tensors_;  // By kRows.
};

// `shape` with its batch dimensions counted.
Shape WithRows(Shape shape, std::int64_t rows);

}  // namespace relu

#endif  // CORE_GRAPH_ROW_SAMPLES_H_
