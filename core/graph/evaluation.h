// Evaluation: one node with its operands, while the interpreter runs it; and
// how the elements of its tensors are found.

#ifndef CORE_GRAPH_EVALUATION_H_
#define CORE_GRAPH_EVALUATION_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/graph/elements.h"
#include "core/graph/graph.h"
#include "core/graph/operators.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {

// Borrows everything, for the time of one call. An operator sets the outputs,
// all of them.
struct Evaluation {
  const Node& node;
  std::span<const ValueType> results;  // With the rows counted.
  std::span<const Tensor* const> inputs;
  std::span<Tensor> outputs;

  bool has_input(std::size_t index) const {
    return index < inputs.size() && inputs[index] != nullptr;
  }
  const Tensor& input(std::size_t index) const { return *inputs[index]; }
  // Of the first output, which most operators have alone.
  DataType type() const { return results[0].type; }
  const Shape& shape() const { return results[0].shape; }
  void Set(Tensor tensor) const { outputs[0] = std::move(tensor); }
};

// The numbers that elements of a type are computed as: double, or integers of
// 64 bits with or without a sign, modulo 2^64.
// Calls `visit` with a zero of it, and returns what that returns.
template <typename Visit>
auto VisitNumber(DataType type, Visit visit) {
  if (IsFloatingPoint(type)) {
    return visit(double{});
  }
  return type == DataType::kUint64 ? visit(std::uint64_t{})
                                   : visit(std::int64_t{});
}

// The elements of `tensor`, whose type has such numbers; and back.
template <typename Number>
std::vector<Number> Load(const Tensor& tensor) {
  if constexpr (std::is_same_v<Number, double>) {
    return ToDoubles(tensor);
  } else {
    const std::vector<std::int64_t> integers = ToIntegers(tensor);
    return {integers.begin(), integers.end()};
  }
}
template <typename Number>
Tensor Store(const ValueType& type, const std::vector<Number>& values) {
  if constexpr (std::is_same_v<Number, double>) {
    return FromDoubles(type.type, type.shape, values);
  } else {
    const std::vector<std::int64_t> integers(values.begin(), values.end());
    return FromIntegers(type.type, type.shape, integers);
  }
}

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

// The values of `tensor`, broadcast to `shape`.
template <typename Number>
std::vector<Number> LoadBroadcast(const Tensor& tensor, const Shape& shape) {
  const std::vector<Number> values = Load<Number>(tensor);
  if (tensor.shape() == shape) {
    return values;
  }
  std::vector<Number> expanded(
      static_cast<std::size_t>(ElementCount(shape).value()));
  IndexWalk walk = BroadcastWalk(tensor.shape(), shape);
  for (Number& value : expanded) {
    value = values[walk.Next()];
  }
  return expanded;
}

// The transpose takes from its source, of shape `from`: dimension i of the
// transpose is dimension order[i] of `from`.
IndexWalk TransposeWalk(const Shape& from, std::span<const std::int64_t> order);

}  // namespace relu

#endif  // CORE_GRAPH_EVALUATION_H_
