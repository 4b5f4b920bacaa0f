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

// The operators of ONNX that we run, by their ONNX names. Constant,
// ConstantOfShape, Dropout, Identity and ZipMap do not occur in a Graph: the
// import resolves them.
enum class Operator : std::uint8_t {
  kAbs,
  kAdd,
  kAnd,
  kArgMax,
  kArgMin,
  kBatchNormalization,
  kCast,
  kCeil,
  kCelu,
  kClip,
  kConcat,
  kDequantizeLinear,
  kDiv,
  kDynamicQuantizeLinear,
  kElu,
  kEqual,
  kErf,
  kExp,
  kExpand,
  kFlatten,
  kFloor,
  kGather,
  kGelu,
  kGemm,
  kGreater,
  kGreaterOrEqual,
  kHardSigmoid,
  kHardSwish,
  kLayerNormalization,
  kLeakyRelu,
  kLess,
  kLessOrEqual,
  kLog,
  kLogSoftmax,
  kMatMul,
  kMatMulInteger,
  kMax,
  kMean,
  kMin,
  kMish,
  kMul,
  kNeg,
  kNot,
  kOr,
  kPRelu,
  kPow,
  kQLinearMatMul,
  kQuantizeLinear,
  kReciprocal,
  kReduceMax,
  kReduceMean,
  kReduceMin,
  kReduceProd,
  kReduceSum,
  kRelu,
  kReshape,
  kRound,
  kSelu,
  kShape,
  kSigmoid,
  kSign,
  kSize,
  kSlice,
  kSoftmax,
  kSoftplus,
  kSoftsign,
  kSplit,
  kSqrt,
  kSqueeze,
  kSub,
  kSum,
  kSwish,
  kTanh,
  kThresholdedRelu,
  kTopK,
  kTranspose,
  kUnsqueeze,
  kWhere,
  kXor,
};

// A node's attributes: checked against the operator's definition, defaults
// filled in, and brought to one form whatever the version of the operator. What
// versions give as inputs or as attributes, and what later ones changed, is:
//   axis                 counts from the front
//   Cast                 "to" is a DataType
//   Clip                 "min", "max": the bounds where inputs 1 and 2 are left
//                        out; constant floating-point bounds are always here
//   Reduce*              "axes" from the front, in order, all of them given;
//                        "keepdims"; one input
//   Reshape, Squeeze, Unsqueeze, Expand, Flatten
//                        go by the shape of their output; one input
//   Slice                "starts" and "steps", one for each dimension; starts
//                        are inside of the dimension; sizes are those of the
//                        output; one input
//   Softmax, LogSoftmax  "flatten": 1 if it goes over all dimensions from its
//                        axis on
//   Split                "split": the size of each part; one input
//   TopK                 "k", "axis"; one input
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
  // Sizes are known, or kBatchDim: as many as there are rows. Where the graph
  // keeps rows apart, a computed value has kBatchDim first and nowhere else:
  // one slice for each row.
  Shape shape;
  // Set for an initializer or a folded node; then shape is its shape.
  const Tensor* constant = nullptr;  // Owned by Graph::constants.

  bool is_batched() const { return !shape.empty() && shape[0] == kBatchDim; }
};

struct Node {
  Operator op = Operator::kAdd;
  std::string name;  // As in the file, or made from its type and position.
  std::vector<ValueId> inputs;  // kNoValue where an optional one is left out.
  // All that the operator has; those that the model does not name are values
  // that nothing reads.
  std::vector<ValueId> outputs;
  Attributes attributes;
};

// Immutable after import, so any number of threads may read it. Copies share
// the constants.
struct Graph {
  std::string name;
  std::vector<Value> values;
  std::vector<Node> nodes;  // Topological: inputs before their use.
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  std::vector<std::shared_ptr<const Tensor>> constants;
  // The number of rows the file fixes, or kBatchDim if any number goes.
  std::int64_t fixed_rows = kBatchDim;
  // False: row i of each output depends on row i of the inputs alone. True:
  // rows depend on each other, or there is no batch dimension at all.
  bool couples_rows = false;
  // Entries of the file's metadata_props that are ours: "relud. ...".
  std::map<std::string, std::string, std::less<>> metadata;
  // What the import left out, in words for a log.
  std::vector<std::string> notes;
};

// Whether an input of the graph has a batch dimension.
bool HasBatchDim(const Graph& graph);

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
