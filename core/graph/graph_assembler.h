// GraphAssembler: builds a Graph out of the parts of an ONNX file, value by
// value and node by node, checking each against what is there already.

#ifndef CORE_GRAPH_GRAPH_ASSEMBLER_H_
#define CORE_GRAPH_GRAPH_ASSEMBLER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/graph/constant_folder.h"
#include "core/graph/graph.h"
#include "core/graph/input_reading.h"
#include "core/graph/onnx_tensor.h"
#include "core/graph/operators.h"
#include "core/graph/row_samples.h"
#include "core/graph/value_names.h"
#include "core/tensor/tensor.h"

namespace onnx {
class NodeProto;
class TensorProto;
class ValueInfoProto;
}  // namespace onnx

namespace relu {

// For one thread. Call the functions in this order: reads, initializers,
// inputs, nodes (each after those it depends on), outputs, Finish(). Errors are
// those of ImportOnnx(); after one the object is of no more use.
//
// A constant is in memory until the last node that reads it has been computed.
//
// Where the source gives outlines, errors do not depend on elements that it
// leaves out. From the first node on that could depend on them, types and
// shapes are not known, and only operators, attributes and names are checked.
class GraphAssembler {
 public:
  struct Options {
    std::string graph_name;
    std::int64_t opset = 1;  // Of the standard operators.
    TensorSource source;
  };
  explicit GraphAssembler(Options options);

  // What nodes and outputs will read: of all of them, each once.
  void AddReads(const onnx::NodeProto& proto) { names_.AddReads(proto); }
  void AddRead(const onnx::ValueInfoProto& output);

  // Leaves out what nothing reads.
  absl::Status AddInitializer(const onnx::TensorProto& proto);
  absl::Status AddInputs(std::span<const std::string> names,
                         const InputReading& reading);
  absl::Status AddNode(const onnx::NodeProto& proto);
  absl::Status AddOutput(const onnx::ValueInfoProto& info);

  // The graph, without what no output needs. An empty one if its types and
  // shapes are not known.
  Graph Finish() &&;

 private:
  // A new value. INVALID_ARGUMENT if the name is taken or empty.
  absl::StatusOr<ValueId> AddValue(std::string_view name, ValueType type);
  // The same for an output of a node, which may have no name.
  absl::StatusOr<ValueId> AddResult(std::string_view name, ValueType type);
  // INVALID_ARGUMENT if an element is not finite.
  absl::Status AddConstant(std::string_view name, Tensor tensor);
  void MakeConstant(ValueId id, Tensor tensor);
  // Frees the constants among inputs and outputs of a node that nothing is to
  // read any more.
  void FreeConstants(const onnx::NodeProto& proto);

  absl::Status AddAnyNode(const onnx::NodeProto& proto);
  // Operators that do not occur in a Graph.
  absl::Status AddConstantOfShape(const onnx::NodeProto& proto);
  absl::Status AddDropout(const onnx::NodeProto& proto);
  absl::Status AddMask(const std::string& name, ValueId like);
  absl::Status AddIdentity(const onnx::NodeProto& proto);
  absl::Status AddZipMap(const onnx::NodeProto& proto);
  absl::Status AddTranslated(const onnx::NodeProto& proto);

  absl::Status AddOperator(const onnx::NodeProto& proto,
                           const OperatorDefinition& definition);
  // A node with its inputs and attributes; names of outputs are those of
  // `proto`.
  absl::Status AddNode(Node node, const onnx::NodeProto& proto);
  // Its outputs, where nothing is known of them.
  absl::Status AddUnknown(const onnx::NodeProto& proto);
  // Constants in the place of a node.
  absl::Status Fold(const Node& node, const OutputTypes& types,
                    std::span<const Tensor* const> constants,
                    std::span<const std::string> names);
  // An operand of this type that nothing reads but the node; or nullptr.
  Tensor* FindSpare(const Node& node, const ValueType& type);
  // A Reshape of a Reshape is one of what that one reshapes: what is between
  // may have the batch elsewhere.
  void SkipReshapes(Node& node);
  // Notes what the outputs of a node are, if only the number of rows decides.
  void FollowSizes(const Node& node, const OutputTypes& types);
  // The constants of a node's inputs, or nothing unless all are constants.
  std::vector<const Tensor*> ConstantInputs(const Node& node) const;
  // A value of its own for an output, where `id` has another name already.
  ValueId AddCopy(ValueId id, std::string_view name);

  Options options_;
  ConstantFolder folder_;
  Graph graph_;  // Its constants come with Finish().
  std::map<ValueId, std::shared_ptr<Tensor>> constants_;
  ValueNames names_;
  std::map<ValueId, RowSamples> samples_;
  // By value that a Reshape or the like gives: the value it comes from.
  std::map<ValueId, ValueId> reshaped_;
  std::set<std::string> maps_;  // Outputs of ZipMaps, which are tensors here.
  std::set<std::string> output_names_;
};

}  // namespace relu

#endif  // CORE_GRAPH_GRAPH_ASSEMBLER_H_
