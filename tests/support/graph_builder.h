// GraphBuilder: makes a Graph by hand, for tests.

#ifndef TESTS_SUPPORT_GRAPH_BUILDER_H_
#define TESTS_SUPPORT_GRAPH_BUILDER_H_

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "core/graph/graph.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {

// A tensor of `shape` with these elements, row-major.
Tensor FloatTensor(Shape shape, const std::vector<float>& elements);
Tensor Int64Tensor(Shape shape, const std::vector<std::int64_t>& elements);

// Names of values are v0, v1, ... in the order they are made, unless given.
class GraphBuilder {
 public:
  // `row_shape` is the shape of one row: the value's shape is [-1, row_shape].
  ValueId Input(std::string_view name, Shape row_shape,
                DataType type = DataType::kFp32);
  ValueId Constant(Tensor tensor);

  // What the value of a node is: the shape without the batch dimension.
  struct Result {
    Shape row_shape;
    DataType type = DataType::kFp32;
  };
  ValueId Node(Operator op, std::vector<ValueId> inputs, Result result,
               Attributes attributes = {});
  // One more output of the node that was made last.
  ValueId NextOutput(Result result);
  void Output(ValueId value);

  // Short forms; attributes are filled in, as the import does. Gemm and MatMul
  // take weights [k, n].
  ValueId Gemm(ValueId input, ValueId weights, ValueId bias);
  ValueId MatMul(ValueId input, ValueId weights);
  // `op` has one input, and an output like it.
  ValueId Unary(Operator op, ValueId input);
  ValueId Softmax(ValueId input, std::int64_t axis, std::int64_t flatten = 0);
  // `op` has two inputs; the result is shaped like `a`.
  ValueId Binary(Operator op, ValueId a, ValueId b);

  const Value& value(ValueId id) const { return graph_.values[id]; }

  // The graph; the builder is empty after this.
  Graph Build() { return std::move(graph_); }

 private:
  ValueId AddValue(std::string_view name, DataType type, Shape shape);
  Shape RowShape(ValueId id) const;

  Graph graph_;
};

}  // namespace relu

#endif  // TESTS_SUPPORT_GRAPH_BUILDER_H_
