#include "core/graph/graph_assembler.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/elements.h"
#include "core/graph/onnx_attributes.h"
#include "core/graph/onnx_tensor.h"
#include "core/graph/value_declaration.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"
#include "fmt/ranges.h"
#include "proto/onnx.pb.h"

namespace relu {
namespace {

// Far above any network that is served, far below what overflows when it is
// counted in bytes.
constexpr std::int64_t kMaxRowElements = std::int64_t{1} << 28U;
constexpr std::int64_t kMaxFixedRows = std::int64_t{1} << 16U;

// Sizes are 1 or more, so that products of some of them never overflow; but an
// empty vector may be a constant, as a shape.
absl::Status CheckSize(std::string_view name, const ValueType& type) {
  if (type.shape.size() > kMaxRank) {
    return absl::UnimplementedError(
        fmt::format("value \"{}\" has {} dimensions, the most is {}", name,
                    type.shape.size(), kMaxRank));
  }
  const bool is_batched = !type.shape.empty() && type.shape[0] == kBatchDim;
  const std::span<const std::int64_t> sizes =
      std::span(type.shape).subspan(is_batched ? 1 : 0);
  const std::optional<std::int64_t> count = ElementCount(sizes);
  if (!count || (is_batched && *count > kMaxRowElements)) {
    return absl::UnimplementedError(
        fmt::format("value \"{}\", shape {}: more elements than the {} a row "
                    "that are supported",
                    name, ShapeText(type.shape), kMaxRowElements));
  }
  if (*count == 0 && type.shape != Shape{0}) {
    return absl::UnimplementedError(
        fmt::format("value \"{}\", shape {}: sizes of 0 are not supported",
                    name, ShapeText(type.shape)));
  }
  return absl::OkStatus();
}

// Whether `declaration` allows a value of type `found`.
bool Fits(const ValueDeclaration& declaration, const ValueType& found,
          std::int64_t fixed_rows) {
  if (declaration.type.value_or(found.type) != found.type) {
    return false;
  }
  if (!declaration.shape) {
    return true;
  }
  const auto is_possible = [](std::int64_t declared, std::int64_t size) {
    return declared == -1 || size == -1 || declared == size;
  };
  Shape shape = found.shape;
  shape[0] = fixed_rows;
  return std::ranges::equal(*declaration.shape, shape, is_possible);
}

// Whether a node reads the value, by ValueId.
std::vector<bool> FindRead(const Graph& graph) {
  std::vector<bool> read(graph.values.size());
  for (const Node& node : graph.nodes) {
    for (const ValueId input : node.inputs) {
      if (input != kNoValue) {
        read[input] = true;
      }
    }
  }
  return read;
}

// Takes out the constants that no node reads: leftovers of folding.
void DropUnusedConstants(Graph& graph) {
  const std::vector<bool> read = FindRead(graph);
  std::vector<ValueId> new_ids(graph.values.size(), kNoValue);
  std::vector<Value> kept;
  std::set<const Tensor*> dropped;
  for (ValueId id = 0; id < graph.values.size(); ++id) {
    if (graph.values[id].constant != nullptr && !read[id]) {
      dropped.insert(graph.values[id].constant);
    } else {
      new_ids[id] = kept.size();
      kept.push_back(std::move(graph.values[id]));
    }
  }
  graph.values = std::move(kept);
  std::erase_if(graph.constants, [&](const auto& constant) {
    return dropped.contains(constant.get());
  });
  const auto renumber = [&](std::vector<ValueId>& ids) {
    for (ValueId& id : ids) {
      id = id == kNoValue ? kNoValue : new_ids[id];
    }
  };
  for (Node& node : graph.nodes) {
    renumber(node.inputs);
    renumber(node.outputs);
  }
  renumber(graph.inputs);
  renumber(graph.outputs);
}

std::string SupportedNames() {
  std::vector<std::string_view> names = {"Constant", "Dropout", "Identity"};
  for (const OperatorDefinition& definition : SupportedOperators()) {
    if (definition.infer != nullptr) {
      names.push_back(definition.name);
    }
  }
  std::ranges::sort(names);
  return fmt::format("{}", fmt::join(names, ", "));
}

// Errors unless the node has `least` to `most` inputs, the first `least` not
// left out, and 1 to `most_outputs` outputs, the first not left out.
absl::Status CheckArity(const onnx::NodeProto& proto, std::size_t least,
                        std::size_t most, std::size_t most_outputs = 1) {
  const auto inputs = static_cast<std::size_t>(proto.input_size());
  if (inputs < least || inputs > most) {
    return absl::InvalidArgumentError(
        fmt::format("{}: {} inputs, wanted {}", NodeText(proto), inputs,
                    most == kAnyNumber ? fmt::format("{} or more", least)
                                       : fmt::format("{} to {}", least, most)));
  }
  const std::size_t needed = most == kAnyNumber ? inputs : least;
  for (std::size_t i = 0; i < needed; ++i) {
    if (proto.input(static_cast<int>(i)).empty()) {
      return absl::InvalidArgumentError(
          fmt::format("{}: input {} is left out", NodeText(proto), i));
    }
  }
  const auto outputs = static_cast<std::size_t>(proto.output_size());
  if (outputs < 1 || outputs > most_outputs || proto.output(0).empty()) {
    return absl::InvalidArgumentError(fmt::format(
        "{}: {} outputs, wanted {}", NodeText(proto), outputs,
        most_outputs == 1            ? "1"
        : most_outputs == kAnyNumber ? "1 or more"
                                     : fmt::format("1 to {}", most_outputs)));
  }
  return absl::OkStatus();
}

}  // namespace

GraphAssembler::GraphAssembler(Options options)
    : options_(std::move(options)), external_(options_.folder) {
  graph_.name = options_.graph_name;
}

absl::Status GraphAssembler::AddInitializer(const onnx::TensorProto& proto) {
  ASSIGN_OR_RETURN(Tensor tensor, TensorFromOnnx(proto, external_));
  folder_.AddGivenBytes(tensor.bytes().size());
  return AddConstant(proto.name(), std::move(tensor));
}

absl::Status GraphAssembler::AddInput(const onnx::ValueInfoProto& info) {
  ASSIGN_OR_RETURN(ValueDeclaration declaration,
                   ReadDeclaration("input", info));
  if (!declaration.type || !declaration.shape || declaration.shape->empty()) {
    return absl::UnimplementedError(
        fmt::format("input \"{}\" has no type, shape or dimension; export it "
                    "with the batch as the first dimension",
                    info.name()));
  }
  Shape& shape = *declaration.shape;
  if (std::ranges::find(shape.begin() + 1, shape.end(), -1) != shape.end()) {
    return absl::UnimplementedError(fmt::format(
        "input \"{}\" has shape {}: only the first dimension, the batch, may "
        "be open; export with fixed sizes for the others",
        info.name(), ShapeText(shape)));
  }
  if (shape[0] == 0 || shape[0] > kMaxFixedRows) {
    return absl::UnimplementedError(fmt::format(
        "input \"{}\" has a batch of {} rows, wanted an open size or 1 to {}",
        info.name(), shape[0], kMaxFixedRows));
  }
  if (!graph_.inputs.empty() && shape[0] != graph_.fixed_rows) {
    return absl::UnimplementedError(fmt::format(
        "input \"{}\" has a batch of {} rows, the inputs before have {} (-1: "
        "any number); all inputs must share the batch",
        info.name(), shape[0], graph_.fixed_rows));
  }
  graph_.fixed_rows = std::exchange(shape[0], kBatchDim);
  ASSIGN_OR_RETURN(const ValueId id, AddValue(info.name(), {*declaration.type,
                                                            std::move(shape)}));
  graph_.inputs.push_back(id);
  return absl::OkStatus();
}

absl::Status GraphAssembler::AddNode(const onnx::NodeProto& proto) {
  const std::string& op_type = proto.op_type();
  const bool is_standard = proto.domain().empty();
  if (is_standard && op_type == "Constant") {
    ASSIGN_OR_RETURN(Tensor tensor, ReadConstantNode(proto, external_));
    folder_.AddGivenBytes(tensor.bytes().size());
    return AddConstant(proto.output(0), std::move(tensor));
  }
  if (is_standard && op_type == "Dropout") {
    return AddDropout(proto);
  }
  if (is_standard && op_type == "Identity") {
    return AddIdentity(proto);
  }
  const OperatorDefinition* const definition =
      is_standard ? FindOperator(op_type) : nullptr;
  if (definition == nullptr || definition->infer == nullptr) {
    return absl::UnimplementedError(
        fmt::format("{}: the operator is not supported; export with these "
                    "alone, or file a request: {}",
                    NodeText(proto), SupportedNames()));
  }
  return AddOperator(proto, *definition);
}

absl::Status GraphAssembler::AddOutput(const onnx::ValueInfoProto& info) {
  const auto found = ids_.find(info.name());
  if (found == ids_.end()) {
    return absl::InvalidArgumentError(fmt::format(
        "output \"{}\": no node, input or initializer has that name",
        info.name()));
  }
  const Value& value = graph_.values[found->second];
  if (!value.is_batched()) {
    return absl::UnimplementedError(
        fmt::format("output \"{}\" is the same for every row, wanted one that "
                    "depends on an input",
                    info.name()));
  }
  ASSIGN_OR_RETURN(const ValueDeclaration declaration,
                   ReadDeclaration("output", info));
  if (!Fits(declaration, {value.type, value.shape}, graph_.fixed_rows)) {
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
  graph_.outputs.push_back(value.name == info.name()
                               ? found->second
                               : AddCopy(found->second, info.name()));
  return absl::OkStatus();
}

Graph GraphAssembler::Finish() {
  DropUnusedConstants(graph_);
  return std::move(graph_);
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
    RETURN_IF_ERROR(AddName(name, id));
  }
  graph_.values.push_back({.name = std::string(name),
                           .type = type.type,
                           .shape = std::move(type.shape),
                           .constant = nullptr});
  return id;
}

absl::Status GraphAssembler::AddConstant(std::string_view name, Tensor tensor) {
  if (!IsFinite(tensor)) {
    return absl::InvalidArgumentError(
        fmt::format("constant \"{}\" has an element that is NaN or infinite, "
                    "wanted finite numbers",
                    name));
  }
  ASSIGN_OR_RETURN(const ValueId id,
                   AddValue(name, {tensor.type(), tensor.shape()}));
  graph_.constants.push_back(std::make_unique<const Tensor>(std::move(tensor)));
  graph_.values[id].constant = graph_.constants.back().get();
  return absl::OkStatus();
}

absl::Status GraphAssembler::AddName(std::string_view name, ValueId id) {
  if (name.empty()) {
    return absl::InvalidArgumentError(
        "an input, an initializer or the output of a node has no name");
  }
  if (!ids_.emplace(name, id).second) {
    return absl::InvalidArgumentError(
        fmt::format("two values have the name \"{}\", wanted one", name));
  }
  return absl::OkStatus();
}

absl::Status GraphAssembler::AddDropout(const onnx::NodeProto& proto) {
  const AttributeDefinition definitions[] = {
      {"ratio", 0.5F}, {"seed", std::int64_t{0}}, {"is_test", std::int64_t{0}}};
  ASSIGN_OR_RETURN(const Attributes attributes,
                   ReadAttributes(proto, definitions));
  onnx::NodeProto without_mask = proto;
  if (proto.output_size() == 2) {
    masks_.insert(proto.output(1));
    without_mask.mutable_output()->RemoveLast();
  }
  RETURN_IF_ERROR(CheckArity(without_mask, /*least=*/1, /*most=*/3));
  ASSIGN_OR_RETURN(const std::vector<ValueId> inputs, FindInputs(proto));
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
  if (trains) {
    return absl::UnimplementedError(fmt::format(
        "{}: is in training mode; export for inference", NodeText(proto)));
  }
  return AddName(proto.output(0), inputs[0]);
}

absl::Status GraphAssembler::AddIdentity(const onnx::NodeProto& proto) {
  RETURN_IF_ERROR(ReadAttributes(proto, {}).status());
  RETURN_IF_ERROR(CheckArity(proto, /*least=*/1, /*most=*/1));
  ASSIGN_OR_RETURN(const std::vector<ValueId> inputs, FindInputs(proto));
  return AddName(proto.output(0), inputs[0]);
}

absl::Status GraphAssembler::AddOperator(const onnx::NodeProto& proto,
                                         const OperatorDefinition& definition) {
  RETURN_IF_ERROR(CheckArity(proto, definition.min_inputs,
                             definition.max_inputs, definition.max_outputs));
  Node node;
  node.op = definition.op;
  node.name = proto.name();
  ASSIGN_OR_RETURN(node.inputs, FindInputs(proto));
  ASSIGN_OR_RETURN(node.attributes,
                   ReadAttributes(proto, definition.attributes));
  InferenceContext context{.node = node,
                           .inputs = {},
                           .opset = options_.opset,
                           .fixed_rows = graph_.fixed_rows};
  for (const ValueId id : node.inputs) {
    context.inputs.push_back(id == kNoValue ? nullptr : &graph_.values[id]);
  }
  context.outputs = static_cast<std::size_t>(proto.output_size());
  ASSIGN_OR_RETURN(OutputTypes types, definition.infer(context));
  std::vector<std::string> names(proto.output().begin(), proto.output().end());
  names.resize(types.size());
  const std::vector<const Tensor*> constants = ConstantInputs(node);
  if (!constants.empty()) {
    for (std::size_t i = 0; i < types.size(); ++i) {
      RETURN_IF_ERROR(CheckSize(names[i], types[i]));
    }
    ASSIGN_OR_RETURN(std::vector<Tensor> folded,
                     folder_.Fold(node, types, constants));
    for (std::size_t i = 0; i < types.size(); ++i) {
      if (!names[i].empty()) {
        RETURN_IF_ERROR(AddConstant(names[i], std::move(folded[i])));
      }
    }
    return absl::OkStatus();
  }
  for (std::size_t i = 0; i < types.size(); ++i) {
    ASSIGN_OR_RETURN(const ValueId id,
                     AddResult(names[i], std::move(types[i])));
    node.outputs.push_back(id);
  }
  graph_.nodes.push_back(std::move(node));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ValueId>> GraphAssembler::FindInputs(
    const onnx::NodeProto& proto) const {
  std::vector<ValueId> inputs;
  for (const std::string& name : proto.input()) {
    const auto found = ids_.find(name);
    if (!name.empty() && masks_.contains(name)) {
      return absl::UnimplementedError(fmt::format(
          "{}: its input \"{}\" is the mask of a Dropout, which has none when "
          "it is not training; export for inference",
          NodeText(proto), name));
    }
    if (!name.empty() && found == ids_.end()) {
      return absl::InvalidArgumentError(fmt::format(
          "{}: no input, initializer or node gives its input \"{}\"",
          NodeText(proto), name));
    }
    inputs.push_back(name.empty() ? kNoValue : found->second);
  }
  return inputs;
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
