// The operators we support: for each its name, inputs, attributes, and how the
// type and shape of its output follow. To add one: a row in the table of
// operators.cc, an inference function, and its meaning in EvaluateNode().

#ifndef CORE_GRAPH_OPERATORS_H_
#define CORE_GRAPH_OPERATORS_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "core/graph/graph.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"

namespace relu {

struct ValueType {
  DataType type = DataType::kFp32;
  Shape shape;  // As in Value.
};

// Of all outputs of a node.
using OutputTypes = std::vector<ValueType>;

// What an inference function sees and may complete. The values belong to the
// graph that is being built.
struct InferenceContext {
  Node& node;                           // Its attributes are normalised here.
  std::vector<const Value*> inputs;     // nullptr where left out.
  std::int64_t opset = 1;               // Of the standard operators.
  std::int64_t fixed_rows = kBatchDim;  // As in Graph.
  std::size_t outputs = 1;              // That the model names.
};

// Stands for a default that depends on the rest of the node; the inference
// function replaces it.
inline constexpr std::int64_t kUnsetAttribute =
    std::numeric_limits<std::int64_t>::min();

struct AttributeDefinition {
  std::string_view name;
  // The type, and the value if the node does not give one.
  AttributeValue default_value;
  bool required = false;
};

// A number of inputs that has no bound; none of them may be left out.
inline constexpr std::size_t kAnyNumber =
    std::numeric_limits<std::size_t>::max();

struct OperatorDefinition {
  std::string_view name;
  Operator op = Operator::kAdd;
  std::size_t min_inputs = 1;  // From this one on they may be left out.
  std::size_t max_inputs = 1;
  std::vector<AttributeDefinition> attributes;
  // Errors, each naming the node: INVALID_ARGUMENT if the operands contradict
  // the operator; UNIMPLEMENTED, with advice, if rows would mix or for another
  // form that we do not run.
  absl::StatusOr<OutputTypes> (*infer)(InferenceContext& context) = nullptr;
  std::size_t max_outputs = 1;  // All but the first may be left out.
};

// A standard operator (their domain is empty); nullptr if we do not have it.
const OperatorDefinition* FindOperator(std::string_view name);

// All of them, by name.
std::span<const OperatorDefinition> SupportedOperators();

}  // namespace relu

#endif  // CORE_GRAPH_OPERATORS_H_
