// GraphAssembler: builds a Graph out of the parts of an ONNX file, value by
// value and node by node, checking each against what is there already.

#ifndef CORE_GRAPH_GRAPH_ASSEMBLER_H_
#define CORE_GRAPH_GRAPH_ASSEMBLER_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/graph/constant_folder.h"
#include "core/graph/external_data.h"
#include "core/graph/graph.h"
#include "core/graph/operators.h"
#include "core/tensor/tensor.h"

namespace onnx {
class NodeProto;
class TensorProto;
class ValueInfoProto;
}  // namespace onnx

namespace relu {

// For one thread. Call the functions in this order: initializers, inputs, nodes
// (each after those it depends on), outputs. Errors are those of ImportOnnx();
// after one the assembler is of no use.
class GraphAssembler {
 public:
  struct Options {
    std::string graph_name;
    std::int64_t opset = 1;        // Of the standard operators.
    std::filesystem::path folder;  // Of external data.
  };
  explicit GraphAssembler(Options options);

  absl::Status AddInitializer(const onnx::TensorProto& proto);
  absl::Status AddInput(const onnx::ValueInfoProto& info);
  absl::Status AddNode(const onnx::NodeProto& proto);
  absl::Status AddOutput(const onnx::ValueInfoProto& info);

  // The graph, without the constants that nothing uses (any more).
  Graph Finish();

 private:
  // A new value. INVALID_ARGUMENT if the name is taken or empty.
  absl::StatusOr<ValueId> AddValue(std::string_view name, ValueType type);
  // The same for an output of a node, which may have no name.
  absl::StatusOr<ValueId> AddResult(std::string_view name, ValueType type);
  absl::Status AddConstant(std::string_view name, Tensor tensor);
  // A second name for a value.
  absl::Status AddName(std::string_view name, ValueId id);

  absl::Status AddDropout(const onnx::NodeProto& proto);
  absl::Status AddIdentity(const onnx::NodeProto& proto);
  absl::Status AddOperator(const onnx::NodeProto& proto,
                           const OperatorDefinition& definition);
  absl::StatusOr<std::vector<ValueId>> FindInputs(
      const onnx::NodeProto& proto) const;
  // The constants of a node's inputs, or nothing unless all are constants.
  std::vector<const Tensor*> ConstantInputs(const Node& node) const;
  // A value of its own for an output, where `id` has another name already.
  ValueId AddCopy(ValueId id, std::string_view name);

  Options options_;
  ExternalData external_;
  ConstantFolder folder_;
  Graph graph_;
  std::map<std::string, ValueId, std::less<>> ids_;  // By name.
  std::set<std::string, std::less<>> masks_;  // Of Dropouts: have no value.
  std::set<std::string> output_names_;
};

}  // namespace relu

#endif  // CORE_GRAPH_GRAPH_ASSEMBLER_H_
