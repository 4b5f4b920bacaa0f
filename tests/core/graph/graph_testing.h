// What the tests of this folder share: values, nodes and statuses in few words.

#ifndef TESTS_CORE_GRAPH_GRAPH_TESTING_H_
#define TESTS_CORE_GRAPH_GRAPH_TESTING_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/base/status_macros.h"
#include "core/graph/elements.h"
#include "core/graph/graph.h"
#include "core/graph/interpreter.h"
#include "core/graph/operators.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {

inline constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
inline constexpr auto kUnimplemented = absl::StatusCode::kUnimplemented;

// EXPECT_THAT(status, Fails(kInvalid, "axis 7")): the code, and a part of the
// message.
MATCHER_P2(Fails, code, part, "") {
  *result_listener << arg;
  return arg.code() == code &&
         std::string_view(arg.message().data(), arg.message().size())
                 .find(part) != std::string_view::npos;
}

inline Node MakeNode(Operator op, Attributes attributes = {}) {
  Node node;
  node.op = op;
  node.name = "n";
  node.attributes = std::move(attributes);
  return node;
}

// EvaluateNode() for a node with one output.
inline absl::StatusOr<Tensor> EvaluateOne(
    const Node& node, const ValueType& result,
    std::span<const Tensor* const> inputs) {
  ASSIGN_OR_RETURN(std::vector<Tensor> outputs,
                   EvaluateNode(node, std::span(&result, 1), inputs));
  return std::move(outputs[0]);
}

// The elements of EvaluateOne()'s tensor; none, and a failure, if it fails.
inline std::vector<double> Evaluate(const Node& node, const ValueType& result,
                                    const std::vector<const Tensor*>& inputs) {
  const absl::StatusOr<Tensor> value = EvaluateOne(node, result, inputs);
  EXPECT_TRUE(value.ok()) << value.status();
  return value.ok() ? ToDoubles(*value) : std::vector<double>();
}

// Runs inference functions on operands made by hand.
class InferenceRun {
 public:
  explicit InferenceRun(Operator op, Attributes attributes = {})
      : node(MakeNode(op, std::move(attributes))) {}

  // An operand of shape [-1, row_shape].
  InferenceRun& Batched(const Shape& row_shape,
                        DataType type = DataType::kFp32) {
    Shape shape{kBatchDim};
    shape.insert(shape.end(), row_shape.begin(), row_shape.end());
    return Add({.name = "x", .type = type, .shape = shape});
  }
  InferenceRun& Constant(Tensor tensor) {
    constants_.push_back(std::make_shared<Tensor>(std::move(tensor)));
    const Tensor& constant = *constants_.back();
    return Add({.name = "c",
                .type = constant.type(),
                .shape = constant.shape(),
                .constant = &constant});
  }
  // A constant of zeros.
  InferenceRun& Constant(Shape shape, DataType type = DataType::kFp32) {
    return Constant(Tensor(type, std::move(shape)));
  }
  InferenceRun& LeftOut() {
    operands_.push_back(nullptr);
    return *this;
  }

  absl::StatusOr<ValueType> Infer(
      absl::StatusOr<OutputTypes> (*infer)(InferenceContext&)) {
    InferenceContext context{.node = node,
                             .inputs = {},
                             .opset = opset,
                             .fixed_rows = fixed_rows,
                             .outputs = outputs,
                             .samples = {}};
    node.inputs.assign(operands_.size(), 0);
    for (const auto& operand : operands_) {
      context.inputs.push_back(operand.get());
    }
    ASSIGN_OR_RETURN(const OutputTypes types, infer(context));
    return types[0];
  }
  // The shape alone; empty, with a failure, if there is none.
  Shape InferShape(absl::StatusOr<OutputTypes> (*infer)(InferenceContext&)) {
    const absl::StatusOr<ValueType> type = Infer(infer);
    EXPECT_TRUE(type.ok()) << type.status();
    return type.ok() ? type->shape : Shape{};
  }

  Node node;
  std::int64_t opset = 17;
  std::int64_t fixed_rows = kBatchDim;
  std::size_t outputs = 1;

 private:
  InferenceRun& Add(Value value) {
    operands_.push_back(std::make_shared<Value>(std::move(value)));
    return *this;
  }

  std::vector<std::shared_ptr<Tensor>> constants_;
  std::vector<std::shared_ptr<Value>> operands_;
};

// A run of an operator whose only attribute is its axis.
inline InferenceRun RunAlong(Operator op, std::int64_t axis) {
  return InferenceRun(op, {{"axis", axis}});
}

}  // namespace relu

#endif  // TESTS_CORE_GRAPH_GRAPH_TESTING_H_
