#include "core/graph/graph_assembler.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/base/status_prefix.h"
#include "core/graph/elements.h"
#include "core/graph/foreign_operators.h"
#include "core/graph/graph_pruning.h"
#include "core/graph/onnx_attributes.h"
#include "core/graph/onnx_tensor.h"
#include "core/graph/reshape_inference.h"
#include "core/graph/row_coupling.h"
#include "core/graph/row_samples.h"
#include "core/graph/value_checks.h"
#include "core/graph/value_declaration.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"
#include "proto/onnx.pb.h"

namespace relu {
namespace {

bool CountsRows(const ValueType& type) {
  return std::ranges::find(type.shape, kBatchDim) != type.shape.end();
}

}  // namespace

GraphAssembler::GraphAssembler(Options options)
    : options_(std::move(options)), folder_(options_.source.outlines) {
  graph_.name = options_.graph_name;
}

void GraphAssembler::AddRead(const onnx::ValueInfoProto& output) {
  names_.AddRead(output.name());
}

absl::Status GraphAssembler::AddInitializer(const onnx::TensorProto& proto) {
  if (!names_.IsRead(proto.name())) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(Tensor tensor, TensorFromOnnx(proto, options_.source));
  folder_.AddGivenElements(tensor.element_count());
  return AddConstant(proto.name(), std::move(tensor));
}

absl::Status GraphAssembler::AddInputs(std::span<const std::string> names,
                                       const InputReading& reading) {
  graph_.fixed_rows = reading.fixed_rows;
  for (std::size_t i = 0; i < names.size(); ++i) {
    ASSIGN_OR_RETURN(const ValueId id, AddValue(names[i], reading.types[i]));
    graph_.inputs.push_back(id);
  }
  return absl::OkStatus();
}

absl::Status GraphAssembler::AddNode(const onnx::NodeProto& proto) {
  names_.EndReads(proto);
  RETURN_IF_ERROR(AddAnyNode(proto));
  FreeConstants(proto);
  return absl::OkStatus();
}

void GraphAssembler::FreeConstants(const onnx::NodeProto& proto) {
  for (const auto* names : {&proto.input(), &proto.output()}) {
    for (const std::string& name : *names) {
      const ValueId id = names_.Find(name);
      if (!names_.IsRead(id) && constants_.erase(id) > 0) {
        graph_.values[id].constant = nullptr;
      }
    }
  }
}

absl::Status GraphAssembler::AddAnyNode(const onnx::NodeProto& proto) {
  const std::string& op_type = proto.op_type();
  const bool is_standard = proto.domain().empty();
  if (is_standard && op_type == "Constant") {
    ASSIGN_OR_RETURN(Tensor tensor, ReadConstantNode(proto, options_.source));
    folder_.AddGivenElements(tensor.element_count());
    return AddConstant(proto.output(0), std::move(tensor));
  }
  if (is_standard && op_type == "ConstantOfShape") {
    return AddConstantOfShape(proto);
  }
  if (is_standard && op_type == "Dropout") {
    return AddDropout(proto);
  }
  if (proto.domain() == "ai.onnx.ml" && op_type == "ZipMap") {
    return AddZipMap(proto);
  }
  if (proto.domain() == "ai.onnx.ml" || proto.domain() == "com.microsoft") {
    return AddTranslated(proto);
  }
  if (is_standard && op_type == "Identity") {
    return AddIdentity(proto);
  }
  const OperatorDefinition* const definition =
      is_standard ? FindOperator(op_type) : nullptr;
  if (definition == nullptr) {
    return absl::UnimplementedError(
        fmt::format("{}: the operator is not supported; export with these "
                    "alone, or file a request: {}",
                    NodeText(proto), SupportedOperatorNames()));
  }
  return AddOperator(proto, *definition);
}

absl::Status GraphAssembler::AddOutput(const onnx::ValueInfoProto& info) {
  const ValueId id = names_.Find(info.name());
  if (id == kNoValue) {
    return absl::InvalidArgumentError(fmt::format(
        "output \"{}\": no node, input or initializer has that name",
        info.name()));
  }
  const Value& value = graph_.values[id];
  ValueDeclaration declaration;
  if (!maps_.contains(info.name())) {
    ASSIGN_OR_RETURN(declaration, ReadDeclaration("output", info));
  }
  if (folder_.is_certain() && !Fits(declaration, value.type,
                                    WithRows(value.shape, graph_.fixed_rows))) {
    return absl::InvalidArgumentError(fmt::format(
        "output \"{}\" is declared as {} {}, but is {} {}", info.name(),
        DataTypeName(declaration.type.value_or(value.type)),
        ShapeText(declaration.shape.value_or(value.shape)),
        DataTypeName(value.type), ShapeText(value.shape)));
  }
  if (!output_names_.insert(info.name()).second) {
    return absl::InvalidArgumentError(
        fmt::format("output \"{}\" is given twice, wanted once", info.name()));
  }
  const bool is_computed =
      value.name == info.name() && value.constant == nullptr;
  graph_.outputs.push_back(is_computed ? id : AddCopy(id, info.name()));
  return absl::OkStatus();
}

Graph GraphAssembler::Finish() && {
  if (!folder_.is_certain()) {
    return {};
  }
  Graph graph = std::move(graph_);
  for (auto& [id, constant] : constants_) {
    graph.constants.push_back(std::move(constant));
  }
  PruneGraph(graph);
  graph.couples_rows = CouplesRows(graph);
  if (graph.fixed_rows == 1) {
    // What works row by row works for any number of them.
    graph.fixed_rows = kBatchDim;
  }
  return graph;
}

absl::StatusOr<ValueId> GraphAssembler::AddValue(std::string_view name,
                                                 ValueType type) {
  if (name.empty()) {
    return absl::InvalidArgumentError(
        "an input, an initializer or the output of a node has no name");
  }
  return AddResult(name, std::move(type));
}

absl::StatusOr<ValueId> GraphAssembler::AddResult(std::string_view name,
                                                  ValueType type) {
  RETURN_IF_ERROR(CheckSize(name, type));
  const ValueId id = graph_.values.size();
  if (!name.empty()) {
    RETURN_IF_ERROR(names_.Add(name, id));
  }
  graph_.values.push_back({.name = std::string(name),
                           .type = type.type,
                           .shape = std::move(type.shape),
                           .constant = nullptr});
  return id;
}

absl::Status GraphAssembler::AddConstant(std::string_view name, Tensor tensor) {
  RETURN_IF_ERROR(CheckFinite(name, tensor));
  ASSIGN_OR_RETURN(const ValueId id,
                   AddValue(name, {tensor.type(), tensor.shape()}));
  MakeConstant(id, std::move(tensor));
  return absl::OkStatus();
}

void GraphAssembler::MakeConstant(ValueId id, Tensor tensor) {
  constants_[id] = std::make_shared<Tensor>(std::move(tensor));
  graph_.values[id].constant = constants_[id].get();
}

absl::Status GraphAssembler::AddConstantOfShape(const onnx::NodeProto& proto) {
  RETURN_IF_ERROR(CheckArity(proto, /*least=*/1, /*most=*/1));
  ASSIGN_OR_RETURN(Tensor fill, ReadFillValue(proto, options_.source));
  ASSIGN_OR_RETURN(const std::vector<ValueId> shape, names_.FindInputs(proto));
  RETURN_IF_ERROR(CheckFinite(proto.name(), fill));
  Node node;
  node.op = Operator::kExpand;
  node.name = proto.name();
  ASSIGN_OR_RETURN(const ValueId value, AddResult("", {fill.type(), {}}));
  MakeConstant(value, std::move(fill));
  node.inputs = {value, shape[0]};
  return AddNode(std::move(node), proto);
}

absl::Status GraphAssembler::AddDropout(const onnx::NodeProto& proto) {
  const AttributeDefinition definitions[] = {
      {"ratio", 0.5F}, {"seed", std::int64_t{0}}, {"is_test", std::int64_t{0}}};
  ASSIGN_OR_RETURN(const Attributes attributes,
                   ReadAttributes(proto, definitions));
  RETURN_IF_ERROR(
      CheckArity(proto, /*least=*/1, /*most=*/3, /*most_outputs=*/2));
  ASSIGN_OR_RETURN(const std::vector<ValueId> inputs, names_.FindInputs(proto));
  // Before opset 7 an attribute says whether to train, from 12 on an input.
  bool trains = options_.opset < 7 &&
                std::get<std::int64_t>(attributes.at("is_test")) == 0;
  if (inputs.size() > 2 && inputs[2] != kNoValue) {
    const Tensor* const mode = graph_.values[inputs[2]].constant;
    trains = mode == nullptr || mode->type() != DataType::kBool ||
             std::ranges::any_of(mode->bytes(), [](std::byte byte) {
               return byte != std::byte{0};
             });
  }
  if (trains && folder_.is_certain()) {
    return absl::UnimplementedError(fmt::format(
        "{}: is in training mode; export for inference", NodeText(proto)));
  }
  RETURN_IF_ERROR(names_.Add(proto.output(0), inputs[0]));
  return proto.output_size() == 2 && !proto.output(1).empty()
             ? AddMask(proto.output(1), inputs[0])
             : absl::OkStatus();
}

absl::Status GraphAssembler::AddMask(const std::string& name, ValueId like) {
  // Nothing is dropped: all true. Opsets before 10 have the type of the input.
  const DataType type =
      options_.opset < 10 ? graph_.values[like].type : DataType::kBool;
  Node node;
  node.op = Operator::kExpand;
  node.name = name;
  ASSIGN_OR_RETURN(const ValueId value, AddResult("", {type, {}}));
  MakeConstant(value, FromDoubles(type, {}, std::vector<double>{1}));
  node.inputs = {value};
  ASSIGN_OR_RETURN(const ValueId mask,
                   AddValue(name, {type, graph_.values[like].shape}));
  node.outputs = {mask};
  graph_.nodes.push_back(std::move(node));
  return absl::OkStatus();
}

absl::Status GraphAssembler::AddIdentity(const onnx::NodeProto& proto) {
  RETURN_IF_ERROR(ReadAttributes(proto, {}).status());
  RETURN_IF_ERROR(CheckArity(proto, /*least=*/1, /*most=*/1));
  ASSIGN_OR_RETURN(const std::vector<ValueId> inputs, names_.FindInputs(proto));
  return names_.Add(proto.output(0), inputs[0]);
}

absl::Status GraphAssembler::AddZipMap(const onnx::NodeProto& proto) {
  RETURN_IF_ERROR(CheckArity(proto, /*least=*/1, /*most=*/1));
  ASSIGN_OR_RETURN(const std::vector<ValueId> inputs, names_.FindInputs(proto));
  RETURN_IF_ERROR(names_.Add(proto.output(0), inputs[0]));
  maps_.insert(proto.output(0));
  graph_.notes.push_back(
      fmt::format("{}: left out; \"{}\" is the tensor \"{}\"", NodeText(proto),
                  proto.output(0), proto.input(0)));
  return absl::OkStatus();
}

absl::Status GraphAssembler::AddTranslated(const onnx::NodeProto& proto) {
  ASSIGN_OR_RETURN(const std::vector<ValueId> inputs, names_.FindInputs(proto));
  const bool has_input = !inputs.empty() && inputs[0] != kNoValue;
  ASSIGN_OR_RETURN(
      const Translation translation,
      TranslateNode(proto,
                    has_input ? graph_.values[inputs[0]].shape.size() : 0));
  for (const onnx::NodeProto& node : translation.nodes) {
    names_.AddReads(node);
  }
  for (const onnx::TensorProto& initializer : translation.initializers) {
    RETURN_IF_ERROR(AddInitializer(initializer));
  }
  for (const onnx::NodeProto& node : translation.nodes) {
    RETURN_IF_ERROR(AddNode(node));
  }
  return absl::OkStatus();
}

absl::Status GraphAssembler::AddOperator(const onnx::NodeProto& proto,
                                         const OperatorDefinition& definition) {
  RETURN_IF_ERROR(CheckArity(proto, definition.min_inputs,
                             definition.max_inputs, definition.max_outputs));
  Node node;
  node.op = definition.op;
  node.name = proto.name();
  ASSIGN_OR_RETURN(node.inputs, names_.FindInputs(proto));
  ASSIGN_OR_RETURN(node.attributes,
                   ReadAttributes(proto, definition.attributes));
  return AddNode(std::move(node), proto);
}

absl::Status GraphAssembler::AddUnknown(const onnx::NodeProto& proto) {
  for (const std::string& name : proto.output()) {
    RETURN_IF_ERROR(AddResult(name, {}).status());
  }
  return absl::OkStatus();
}

absl::Status GraphAssembler::AddNode(Node node, const onnx::NodeProto& proto) {
  if (!folder_.is_certain()) {
    return AddUnknown(proto);
  }
  InferenceContext context{
      .node = node,
      .inputs = {},
      .opset = options_.opset,
      .fixed_rows = graph_.fixed_rows,
      .outputs = static_cast<std::size_t>(proto.output_size()),
      .samples = {}};
  for (const ValueId id : node.inputs) {
    const auto samples = samples_.find(id);
    context.inputs.push_back(id == kNoValue ? nullptr : &graph_.values[id]);
    context.samples.push_back(samples == samples_.end() ? nullptr
                                                        : &samples->second);
  }
  ASSIGN_OR_RETURN(OutputTypes types, DefinitionOf(node.op).infer(context));
  std::vector<std::string> names(proto.output().begin(), proto.output().end());
  if (names.size() > types.size()) {
    return absl::InvalidArgumentError(
        fmt::format("{}: {} outputs, wanted {} at most", NodeText(proto),
                    names.size(), types.size()));
  }
  names.resize(types.size());
  for (std::size_t i = 0; i < types.size(); ++i) {
    absl::Status size = CheckSize(names[i], types[i]);
    size.Update(CheckRowSize(names[i], types[i]));
    if (!size.ok()) {
      return WithPrefix(NodeText(proto) + ": ", size);
    }
  }
  const std::vector<const Tensor*> constants = ConstantInputs(node);
  if (!constants.empty() && std::ranges::none_of(types, &CountsRows)) {
    return Fold(node, types, constants, names);
  }
  for (std::size_t i = 0; i < types.size(); ++i) {
    ASSIGN_OR_RETURN(const ValueId id, AddResult(names[i], types[i]));
    node.outputs.push_back(id);
  }
  SkipReshapes(node);
  FollowSizes(node, types);
  for (const ValueId id : node.inputs) {
    if (id != kNoValue) {
      names_.Keep(id);
    }
  }
  graph_.nodes.push_back(std::move(node));
  return absl::OkStatus();
}

absl::Status GraphAssembler::Fold(const Node& node, const OutputTypes& types,
                                  std::span<const Tensor* const> constants,
                                  std::span<const std::string> names) {
  ASSIGN_OR_RETURN(
      std::vector<Tensor> folded,
      folder_.Fold(node, types, constants, FindSpare(node, types[0])));
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (names[i].empty()) {
      continue;
    }
    RETURN_IF_ERROR(AddConstant(names[i], std::move(folded[i])));
  }
  return absl::OkStatus();
}

Tensor* GraphAssembler::FindSpare(const Node& node, const ValueType& type) {
  for (const ValueId id : node.inputs) {
    const auto found = constants_.find(id);
    if (found != constants_.end() && !names_.IsRead(id) &&
        found->second->type() == type.type &&
        found->second->shape() == type.shape) {
      return found->second.get();
    }
  }
  return nullptr;
}

void GraphAssembler::SkipReshapes(Node& node) {
  if (!IsReshape(node.op)) {
    return;
  }
  const auto earlier = reshaped_.find(node.inputs[0]);
  if (earlier != reshaped_.end()) {
    node.inputs[0] = earlier->second;
  }
  reshaped_[node.outputs[0]] = node.inputs[0];
}

void GraphAssembler::FollowSizes(const Node& node, const OutputTypes& types) {
  std::vector<RowSamples> results;
  if (node.op == Operator::kShape || node.op == Operator::kSize) {
    results =
        RowSamples::OfShape(node, types, graph_.values[node.inputs[0]].shape);
  } else {
    std::vector<std::unique_ptr<const RowSamples>> constants;
    std::vector<const RowSamples*> inputs;
    for (const ValueId id : node.inputs) {
      const auto samples = samples_.find(id);
      if (id != kNoValue && graph_.values[id].constant != nullptr &&
          graph_.values[id].constant->element_count() <=
              RowSamples::kMaxElements) {
        constants.push_back(
            std::make_unique<RowSamples>(*graph_.values[id].constant));
        inputs.push_back(constants.back().get());
      } else if (id == kNoValue || samples != samples_.end()) {
        inputs.push_back(id == kNoValue ? nullptr : &samples->second);
      } else {
        return;
      }
    }
    results = RowSamples::Evaluate(node, types, inputs);
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (const Tensor* constant = results[i].Constant(); constant != nullptr) {
      MakeConstant(node.outputs[i], constant->Clone());
    } else {
      samples_.insert({node.outputs[i], std::move(results[i])});
    }
  }
}

std::vector<const Tensor*> GraphAssembler::ConstantInputs(
    const Node& node) const {
  std::vector<const Tensor*> constants;
  for (const ValueId id : node.inputs) {
    const Tensor* const constant =
        id == kNoValue ? nullptr : graph_.values[id].constant;
    if (id != kNoValue && constant == nullptr) {
      return {};
    }
    constants.push_back(constant);
  }
  return constants;
}

ValueId GraphAssembler::AddCopy(ValueId id, std::string_view name) {
  // A Reshape to the same shape: nothing has to be computed for it.
  Value copy = graph_.values[id];
  copy.name = name;
  Node node;
  node.op = Operator::kReshape;
  node.name = name;
  node.inputs = {id};
  node.outputs = {graph_.values.size()};
  node.attributes = {{"allowzero", std::int64_t{0}},
                     {"shape", std::vector<std::int64_t>()}};
  graph_.nodes.push_back(std::move(node));
  graph_.values.push_back(std::move(copy));
  return graph_.values.size() - 1;
}

}  // namespace relu
