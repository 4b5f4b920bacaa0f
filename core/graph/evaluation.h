// Evaluation: one node with its operands, while the interpreter runs it; and
// how the elements of its tensors are found.

#ifndef CORE_GRAPH_EVALUATION_H_
#define CORE_GRAPH_EVALUATION_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/graph/graph.h"
#include "core/graph/operators.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {

// Borrows everything, for the time of one call.
struct Evaluation {
  const Node& node;
  const ValueType& result;  // With the rows counted.
  std::span<const Tensor* const> inputs;

  bool has_input(std::size_t index) const {
    return index < inputs.size() && inputs[index] != nullptr;
  }
  const Tensor& input(std::size_t index) const { return *inputs[index]; }
};

// A tensor seen from one axis: [outer][size][inner].
struct AxisView {
  std::size_t outer = 1;
  std::size_t size = 1;
  std::size_t inner = 1;

  // How many lines of `size` elements, `inner` apart, there are.
  std::size_t lines() const { return outer * inner; }
  // The first element of line `i`.
  std::size_t LineBegin(std::size_t i) const {
    return i / inner * size * inner + i % inner;
  }
};

AxisView ViewFromAxis(const Shape& shape, std::int64_t axis);

// The places in one tensor of the elements that another one takes from it, in
// the order of that other one. For one thread.
class IndexWalk {
 public:
  // `shape` is that of the tensor that takes; one step in its dimension i goes
  // `strides[i]` elements on in the other.
  IndexWalk(Shape shape, std::vector<std::size_t> strides);

  // The place for the first element, then for the second, ...; after the last
  // comes the first again.
  std::size_t Next();

 private:
  Shape shape_;
  std::vector<std::size_t> strides_;
  std::vector<std::int64_t> position_;
  std::size_t index_ = 0;
};

// A tensor of shape `to` takes from one of shape `from` by broadcasting.
IndexWalk BroadcastWalk(const Shape& from, const Shape& to);

// The transpose takes from its source, of shape `from`: dimension i of the
// transpose is dimension order[i] of `from`.
IndexWalk TransposeWalk(const Shape& from, std::span<const std::int64_t> order);

}  // namespace relu

#endif  // CORE_GRAPH_EVALUATION_H_
