// Graph: a checked feed-forward network as the ONNX file gives it: values with
// known types and shapes, and nodes in the order of execution.

#ifndef CORE_GRAPH_GRAPH_H_
#define CORE_GRAPH_GRAPH_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {

// The operators of ONNX that we run, by their ONNX names. Constant, Identity
// and Dropout do not occur in a Graph: the import resolves them.
enum class Operator : std::uint8_t {
  kAdd,
  kArgMax,
  kCast,
  kConcat,
  kDiv,
  kFlatten,
  kGather,
  kGemm,
  kMatMul,
  kMul,
  kRelu,
  kReshape,
  kSigmoid,
  kSoftmax,
  kSub,
  kTanh,
  kTranspose,
};

// A node's attributes: checked against the operator's definition, defaults
// filled in. An "axis" counts from the front; "to" of Cast is a DataType;
// Softmax has "flatten" too, 1 if it goes over all dimensions from its axis on.
// A Reshape goes by the shape of its output.
using AttributeValue =
    std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>>;
using Attributes = std::map<std::string, AttributeValue, std::less<>>;

// Index into Graph::values.
using ValueId = std::size_t;
// An optional input that the model leaves out.
inline constexpr ValueId kNoValue = static_cast<ValueId>(-1);

// The most dimensions of a value.
inline constexpr std::size_t kMaxRank = 32;

// What flows along an edge.
struct Value {
  std::string name;
  DataType type = DataType::kFp32;
  // Either all sizes are known (a constant, the same for every row), or the
  // first is kBatchDim and the rest are known: one slice for each row.
  Shape shape;
  // Set for an initializer or a folded node; then shape is its shape.
  const Tensor* constant = nullptr;  // Owned by Graph::constants.

  bool is_batched() const { return !shape.empty() && shape[0] == kBatchDim; }
};

// All operators have one output.
struct Node {
  Operator op = Operator::kAdd;
  std::string name;  // As in the file, or made from its type and position.
  std::vector<ValueId> inputs;  // kNoValue where an optional one is left out.
  std::vector<ValueId> outputs;
  Attributes attributes;
};

// Movable, not copyable. Immutable after import, so any number of threads may
// read it. Every row is independent of the others: ImportOnnx() refuses graphs
// that mix rows.
struct Graph {
  std::string name;
  std::vector<Value> values;
  std::vector<Node> nodes;  // Topological: inputs before their use.
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  std::vector<std::unique_ptr<const Tensor>> constants;
  // The number of rows the file fixes, or kBatchDim if any number goes.
  std::int64_t fixed_rows = kBatchDim;
};

// Access to attributes that the import has filled in: CHECKs that it is there.
std::int64_t IntAttribute(const Node& node, std::string_view name);
float FloatAttribute(const Node& node, std::string_view name);
const std::vector<std::int64_t>& IntsAttribute(const Node& node,
                                               std::string_view name);

// "Gemm", "MatMul", ...
std::string_view OperatorName(Operator op);

// 'node "fc1" (Gemm)', for messages.
std::string NodeText(const Node& node);

}  // namespace relu

#endif  // CORE_GRAPH_GRAPH_H_
