#include "tests/support/graph_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/graph/graph.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

Shape WithBatchDim(const Shape& row_shape) {
  Shape shape{kBatchDim};
  shape.insert(shape.end(), row_shape.begin(), row_shape.end());
  return shape;
}

}  // namespace

Tensor FloatTensor(Shape shape, const std::vector<float>& elements) {
  Tensor tensor(DataType::kFp32, std::move(shape));
  CHECK(tensor.As<float>().size() == elements.size());
  std::ranges::copy(elements, tensor.As<float>().begin());
  return tensor;
}

Tensor Int64Tensor(Shape shape, const std::vector<std::int64_t>& elements) {
  Tensor tensor(DataType::kInt64, std::move(shape));
  CHECK(tensor.As<std::int64_t>().size() == elements.size());
  std::ranges::copy(elements, tensor.As<std::int64_t>().begin());
  return tensor;
}

ValueId GraphBuilder::Input(std::string_view name, Shape row_shape,
                            DataType type) {
  const ValueId id = AddValue(name, type, WithBatchDim(row_shape));
  graph_.inputs.push_back(id);
  return id;
}

ValueId GraphBuilder::Constant(Tensor tensor) {
  const ValueId id = AddValue("", tensor.type(), tensor.shape());
  graph_.constants.push_back(std::make_unique<const Tensor>(std::move(tensor)));
  graph_.values[id].constant = graph_.constants.back().get();
  return id;
}

ValueId GraphBuilder::Node(Operator op, std::vector<ValueId> inputs,
                           Result result, Attributes attributes) {
  const ValueId id = AddValue("", result.type, WithBatchDim(result.row_shape));
  relu::Node node;
  node.op = op;
  node.name = fmt::format("node_{}", graph_.nodes.size());
  node.inputs = std::move(inputs);
  node.outputs = {id};
  node.attributes = std::move(attributes);
  graph_.nodes.push_back(std::move(node));
  return id;
}

ValueId GraphBuilder::NextOutput(Result result) {
  const ValueId id = AddValue("", result.type, WithBatchDim(result.row_shape));
  graph_.nodes.back().outputs.push_back(id);
  return id;
}

void GraphBuilder::Output(ValueId value) { graph_.outputs.push_back(value); }

ValueId GraphBuilder::Gemm(ValueId input, ValueId weights, ValueId bias) {
  const Shape row_shape{value(weights).shape[1]};
  return Node(Operator::kGemm, {input, weights, bias},
              {.row_shape = row_shape, .type = value(input).type},
              {{"alpha", 1.0F},
               {"beta", 1.0F},
               {"transA", std::int64_t{0}},
               {"transB", std::int64_t{0}}});
}

ValueId GraphBuilder::MatMul(ValueId input, ValueId weights) {
  Shape row_shape = RowShape(input);
  row_shape.back() = value(weights).shape[1];
  return Node(Operator::kMatMul, {input, weights},
              {.row_shape = row_shape, .type = value(input).type});
}

ValueId GraphBuilder::Unary(Operator op, ValueId input) {
  return Node(op, {input},
              {.row_shape = RowShape(input), .type = value(input).type});
}

ValueId GraphBuilder::Softmax(ValueId input, std::int64_t axis,
                              std::int64_t flatten) {
  return Node(Operator::kSoftmax, {input},
              {.row_shape = RowShape(input), .type = value(input).type},
              {{"axis", axis}, {"flatten", flatten}});
}

ValueId GraphBuilder::Binary(Operator op, ValueId a, ValueId b) {
  return Node(op, {a, b}, {.row_shape = RowShape(a), .type = value(a).type});
}

ValueId GraphBuilder::AddValue(std::string_view name, DataType type,
                               Shape shape) {
  Value added;
  added.name = name.empty() ? fmt::format("v{}", graph_.values.size())
                            : std::string(name);
  added.type = type;
  added.shape = std::move(shape);
  graph_.values.push_back(std::move(added));
  return graph_.values.size() - 1;
}

Shape GraphBuilder::RowShape(ValueId id) const {
  const Shape& shape = value(id).shape;
  return Shape(shape.begin() + 1, shape.end());
}

}  // namespace relu
