#include "core/graph/onnx_import.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/base/status_prefix.h"
#include "core/base/utf8.h"
#include "core/graph/external_data.h"
#include "core/graph/graph_assembler.h"
#include "core/graph/input_reading.h"
#include "core/graph/node_order.h"
#include "core/graph/onnx_fields.h"
#include "core/graph/onnx_file.h"
#include "core/graph/onnx_tensor.h"
#include "fmt/format.h"
#include "proto/onnx.pb.h"

namespace relu {
namespace {

// Versions are not capped at what we know (what counts is which operators and
// attributes occur), but at what may ever be.
constexpr std::int64_t kMaxIrVersion = 100;
constexpr std::int64_t kMaxOpset = 1000;
// Names reach messages, logs and metrics.
constexpr std::size_t kMaxNameBytes = 1024;

bool IsStandard(std::string_view domain) {
  return domain.empty() || domain == "ai.onnx";
}

absl::Status CheckName(std::string_view name) {
  if (name.size() > kMaxNameBytes) {
    return absl::InvalidArgumentError(
        fmt::format("a name has {} bytes, the most is {}: \"{}\"", name.size(),
                    kMaxNameBytes, ClipUtf8(name, 32)));
  }
  return absl::OkStatus();
}

absl::Status CheckNames(const onnx::NodeProto& node) {
  for (const std::string* name :
       {&node.name(), &node.op_type(), &node.domain()}) {
    RETURN_IF_ERROR(CheckName(*name));
  }
  for (const std::string& input : node.input()) {
    RETURN_IF_ERROR(CheckName(input));
  }
  for (const std::string& output : node.output()) {
    RETURN_IF_ERROR(CheckName(output));
  }
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    RETURN_IF_ERROR(CheckName(attribute.name()));
    RETURN_IF_ERROR(CheckName(attribute.t().name()));
  }
  return absl::OkStatus();
}

// Once here, so that messages may quote any name.
absl::Status CheckNames(const onnx::ModelProto& model) {
  for (const onnx::OperatorSetIdProto& import : model.opset_import()) {
    RETURN_IF_ERROR(CheckName(import.domain()));
  }
  for (const onnx::FunctionProto& function : model.functions()) {
    RETURN_IF_ERROR(CheckName(function.name()));
  }
  const onnx::GraphProto& graph = model.graph();
  RETURN_IF_ERROR(CheckName(graph.name()));
  for (const onnx::NodeProto& node : graph.node()) {
    RETURN_IF_ERROR(CheckNames(node));
  }
  for (const onnx::TensorProto& initializer : graph.initializer()) {
    RETURN_IF_ERROR(CheckName(initializer.name()));
  }
  for (const onnx::ValueInfoProto& input : graph.input()) {
    RETURN_IF_ERROR(CheckName(input.name()));
  }
  for (const onnx::ValueInfoProto& output : graph.output()) {
    RETURN_IF_ERROR(CheckName(output.name()));
  }
  return absl::OkStatus();
}

absl::Status CheckModel(const onnx::ModelProto& model) {
  if (model.ir_version() < 1 || model.ir_version() > kMaxIrVersion) {
    return absl::InvalidArgumentError(fmt::format(
        "IR version {}, wanted 1 to {}", model.ir_version(), kMaxIrVersion));
  }
  if (!model.has_graph()) {
    return absl::InvalidArgumentError("the model has no graph");
  }
  if (model.graph().output_size() == 0) {
    return absl::InvalidArgumentError("the graph has no output");
  }
  if (model.functions_size() > 0) {
    return absl::UnimplementedError(fmt::format(
        "local functions (\"{}\") are not supported; export with functions "
        "inlined",
        model.functions(0).name()));
  }
  if (model.training_info_size() > 0) {
    return absl::UnimplementedError(
        "training graphs are not supported; export for inference");
  }
  if (model.graph().sparse_initializer_size() > 0) {
    return absl::UnimplementedError(
        "sparse initializers are not supported; export dense ones");
  }
  return absl::OkStatus();
}

// The version of the standard operators.
absl::StatusOr<std::int64_t> FindOpset(const onnx::ModelProto& model) {
  std::int64_t opset = 0;
  for (const onnx::OperatorSetIdProto& import : model.opset_import()) {
    if (import.version() < 1 || import.version() > kMaxOpset) {
      return absl::InvalidArgumentError(
          fmt::format("opset {} of domain \"{}\", wanted 1 to {}",
                      import.version(), import.domain(), kMaxOpset));
    }
    if (!IsStandard(import.domain())) {
      continue;
    }
    if (opset != 0) {
      return absl::InvalidArgumentError(fmt::format(
          "the standard operators are imported twice, from opset {} and {}",
          opset, import.version()));
    }
    opset = import.version();
  }
  if (opset == 0) {
    return absl::InvalidArgumentError(
        "the model does not import the standard operators");
  }
  return opset;
}

// The inputs that clients give: not those that have an initializer, which are
// constants for us, as older files have them.
absl::StatusOr<std::vector<const onnx::ValueInfoProto*>> FindInputs(
    const onnx::GraphProto& graph) {
  std::set<std::string_view> initializers;
  for (const onnx::TensorProto& proto : graph.initializer()) {
    initializers.insert(proto.name());
  }
  std::set<std::string_view> names;
  std::vector<const onnx::ValueInfoProto*> inputs;
  for (const onnx::ValueInfoProto& input : graph.input()) {
    if (!names.insert(input.name()).second) {
      return absl::InvalidArgumentError(fmt::format(
          "input \"{}\" is given twice, wanted once", input.name()));
    }
    if (!initializers.contains(input.name())) {
      inputs.push_back(&input);
    }
  }
  return inputs;
}

// What is known of a network before its tensors are read.
struct Structure {
  std::vector<std::string> inputs;
  std::vector<InputReading> readings;  // Of the inputs; those left to try.
  std::vector<int> order;              // Of the nodes.
};

absl::StatusOr<Structure> FindStructure(const onnx::GraphProto& graph) {
  Structure structure;
  ASSIGN_OR_RETURN(const auto inputs, FindInputs(graph));
  for (const onnx::ValueInfoProto* input : inputs) {
    structure.inputs.push_back(input->name());
  }
  ASSIGN_OR_RETURN(structure.readings, ReadInputs(inputs));
  ASSIGN_OR_RETURN(structure.order, NodeOrder(graph));
  return structure;
}

// With the initializers of the graph, and who reads them.
absl::StatusOr<GraphAssembler> StartAssembly(
    const onnx::GraphProto& graph, const GraphAssembler::Options& options) {
  GraphAssembler assembler(options);
  for (const onnx::NodeProto& node : graph.node()) {
    assembler.AddReads(node);
  }
  for (const onnx::ValueInfoProto& output : graph.output()) {
    assembler.AddRead(output);
  }
  for (const onnx::TensorProto& initializer : graph.initializer()) {
    RETURN_IF_ERROR(assembler.AddInitializer(initializer));
  }
  return assembler;
}

// By the first of the readings.
absl::StatusOr<Graph> FinishAssembly(GraphAssembler assembler,
                                     const onnx::GraphProto& graph,
                                     const Structure& structure) {
  RETURN_IF_ERROR(assembler.AddInputs(structure.inputs, structure.readings[0]));
  for (const int i : structure.order) {
    RETURN_IF_ERROR(assembler.AddNode(graph.node(i)));
  }
  for (const onnx::ValueInfoProto& output : graph.output()) {
    RETURN_IF_ERROR(assembler.AddOutput(output));
  }
  return std::move(assembler).Finish();
}

// Takes away the readings that do not hold.
absl::StatusOr<Graph> Assemble(const onnx::GraphProto& graph,
                               Structure& structure,
                               const GraphAssembler::Options& options) {
  while (true) {
    // No other reading mends what is wrong with an initializer.
    ASSIGN_OR_RETURN(GraphAssembler assembler, StartAssembly(graph, options));
    absl::StatusOr<Graph> assembled =
        FinishAssembly(std::move(assembler), graph, structure);
    // All but the last are guesses, which hold if rows are kept apart.
    if (structure.readings.size() == 1 ||
        (assembled.ok() && !assembled->couples_rows)) {
      return assembled;
    }
    structure.readings.erase(structure.readings.begin());
  }
}

absl::StatusOr<Graph> Import(onnx::ModelProto& model, TensorSource source) {
  RETURN_IF_ERROR(CheckNames(model));
  RETURN_IF_ERROR(CheckModel(model));
  ASSIGN_OR_RETURN(const std::int64_t opset, FindOpset(model));
  NormalizeOnnxNodes(*model.mutable_graph());
  const onnx::GraphProto& proto = model.graph();
  ASSIGN_OR_RETURN(Structure structure, FindStructure(proto));
  GraphAssembler::Options options{
      .graph_name = proto.name(), .opset = opset, .source = std::move(source)};
  if (options.source.file != nullptr) {
    // First without weights: what is not supported is refused before they take
    // memory and time.
    GraphAssembler::Options outlines = options;
    outlines.source.outlines = true;
    RETURN_IF_ERROR(Assemble(proto, structure, outlines).status());
  }
  ASSIGN_OR_RETURN(Graph graph, Assemble(proto, structure, options));
  model.clear_graph();
  graph.metadata = MetadataOf(model.SerializeAsString(), "relud.");
  return graph;
}

}  // namespace

void NormalizeOnnxNodes(onnx::GraphProto& graph) {
  for (int i = 0; i < graph.node_size(); ++i) {
    onnx::NodeProto& node = *graph.mutable_node(i);
    if (node.name().empty()) {
      node.set_name(fmt::format("{}_{}", node.op_type(), i));
    }
    if (IsStandard(node.domain())) {
      node.clear_domain();
    }
  }
}

absl::StatusOr<Graph> ImportOnnx(const std::filesystem::path& file) {
  ASSIGN_OR_RETURN(const File opened, OpenOnnxFile(file));
  ASSIGN_OR_RETURN(onnx::ModelProto model, ReadOnnxOutline(opened));
  absl::StatusOr<Graph> graph = Import(
      model, {.external = ExternalData(file.parent_path()), .file = &opened});
  absl::Status status = opened.CheckUnchanged();
  status.Update(graph.status());
  if (!status.ok()) {
    return WithPrefix(file.string() + ": ", status);
  }
  return graph;
}

absl::StatusOr<Graph> ImportOnnx(onnx::ModelProto model,
                                 const std::filesystem::path& folder) {
  return Import(model, {.external = ExternalData(folder)});
}

}  // namespace relu
