#include "core/graph/foreign_operators.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/onnx_attributes.h"
#include "fmt/format.h"
#include "proto/onnx.pb.h"

namespace relu {
namespace {

// Builds the nodes that stand for `proto`. For one thread.
class Translator {
 public:
  explicit Translator(const onnx::NodeProto& proto) : proto_(proto) {}

  // A name for a value between the nodes.
  std::string NameOf(std::string_view part) const {
    return fmt::format("{}/{}", proto_.output(0), part);
  }

  // A vector; returns its name.
  std::string AddFloats(std::string_view part,
                        const google::protobuf::RepeatedField<float>& values) {
    onnx::TensorProto& tensor = AddTensor(part, values.size());
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    *tensor.mutable_float_data() = values;
    return tensor.name();
  }
  std::string AddIntegers(std::string_view part,
                          const std::vector<std::int64_t>& values) {
    onnx::TensorProto& tensor =
        AddTensor(part, static_cast<std::int64_t>(values.size()));
    tensor.set_data_type(onnx::TensorProto::INT64);
    tensor.mutable_int64_data()->Add(values.begin(), values.end());
    return tensor.name();
  }

  // Returns the node, to be given attributes.
  onnx::NodeProto& AddNode(std::string_view op_type,
                           const std::vector<std::string>& inputs,
                           const std::string& output) {
    onnx::NodeProto& node = result_.nodes.emplace_back();
    node.set_op_type(std::string(op_type));
    node.set_name(proto_.name());
    for (const std::string& input : inputs) {
      node.add_input(input);
    }
    node.add_output(output);
    return node;
  }

  Translation Finish() { return std::move(result_); }

 private:
  onnx::TensorProto& AddTensor(std::string_view part, std::int64_t size) {
    onnx::TensorProto& tensor = result_.initializers.emplace_back();
    tensor.set_name(NameOf(part));
    tensor.add_dims(size);
    return tensor;
  }

  const onnx::NodeProto& proto_;
  Translation result_;
};

void SetInt(onnx::NodeProto& node, std::string_view name, std::int64_t value) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(std::string(name));
  attribute.set_type(onnx::AttributeProto::INT);
  attribute.set_i(value);
}

// (x - offset) * scale, in float whatever x is.
absl::StatusOr<Translation> TranslateScaler(const onnx::NodeProto& proto) {
  Translator translator(proto);
  std::string value = translator.NameOf("float");
  SetInt(translator.AddNode("Cast", {proto.input(0)}, value), "to",
         onnx::TensorProto::FLOAT);
  for (const onnx::AttributeProto& attribute : proto.attribute()) {
    const std::string& name = attribute.name();
    const bool is_known = name == "offset" || name == "scale";
    if (!is_known || attribute.type() != onnx::AttributeProto::FLOATS) {
      return absl::UnimplementedError(
          fmt::format("{}: attribute \"{}\" is not supported, wanted "
                      "\"offset\" and \"scale\", lists of floats",
                      NodeText(proto), name));
    }
  }
  for (const std::string_view name : {"offset", "scale"}) {
    for (const onnx::AttributeProto& attribute : proto.attribute()) {
      if (attribute.name() == name) {
        const std::string result = translator.NameOf(fmt::format("{}ed", name));
        translator.AddNode(
            name == "offset" ? "Sub" : "Mul",
            {value, translator.AddFloats(name, attribute.floats())}, result);
        value = result;
      }
    }
  }
  translator.AddNode("Identity", {value}, proto.output(0));
  return translator.Finish();
}

// Elements of the last axis of input 0, by the indices in input 1, which lie in
// one row whatever their shape.
absl::StatusOr<Translation> TranslateFeatureExtractor(
    const onnx::NodeProto& proto, std::size_t rank) {
  Translator translator(proto);
  const std::string between = translator.NameOf("between");
  if (rank == 1) {
    // The result is [1, indices]. Gathered in the shape of the indices, and
    // reshaped: a Reshape behind it then finds rows, if the indices are such.
    SetInt(
        translator.AddNode("Gather", {proto.input(0), proto.input(1)}, between),
        "axis", 0);
    translator.AddNode("Reshape",
                       {between, translator.AddIntegers("shape", {1, -1})},
                       proto.output(0));
    return translator.Finish();
  }
  translator.AddNode("Reshape",
                     {proto.input(1), translator.AddIntegers("shape", {-1})},
                     between);
  SetInt(
      translator.AddNode("Gather", {proto.input(0), between}, proto.output(0)),
      "axis", -1);
  return translator.Finish();
}

// Activations that FusedGemm may have, and what activation_alpha and
// activation_beta are called in their own operators; "": there is none.
struct FusedActivation {
  std::string_view op_type;
  std::string_view alpha;
  std::string_view beta;
};
constexpr FusedActivation kFusedActivations[] = {
    {"Relu", "", ""},
    {"Sigmoid", "", ""},
    {"Tanh", "", ""},
    {"Softplus", "", ""},
    {"Softsign", "", ""},
    {"LeakyRelu", "alpha", ""},
    {"Elu", "alpha", ""},
    {"ThresholdedRelu", "alpha", ""},
    {"HardSigmoid", "alpha", "beta"},
};

// Gemm and an activation; the other attributes are those of Gemm.
absl::StatusOr<Translation> TranslateFusedGemm(const onnx::NodeProto& proto) {
  Translator translator(proto);
  const std::string sum = translator.NameOf("sum");
  onnx::NodeProto& gemm = translator.AddNode(
      "Gemm", {proto.input().begin(), proto.input().end()}, sum);
  std::string activation;
  std::map<std::string, const onnx::AttributeProto*, std::less<>> parameters;
  for (const onnx::AttributeProto& attribute : proto.attribute()) {
    if (attribute.name() == "activation") {
      activation = attribute.s();
    } else if (attribute.name().starts_with("activation_")) {
      parameters[attribute.name().substr(11)] = &attribute;
    } else {
      *gemm.add_attribute() = attribute;
    }
  }
  const auto* const known = std::ranges::find(kFusedActivations, activation,
                                              &FusedActivation::op_type);
  if (known == std::end(kFusedActivations)) {
    return absl::UnimplementedError(fmt::format(
        "{}: the activation \"{}\" is not supported; save the model without "
        "optimisations, with a node of its own",
        NodeText(proto), activation));
  }
  onnx::NodeProto& node =
      translator.AddNode(known->op_type, {sum}, proto.output(0));
  for (const std::string_view name : {known->alpha, known->beta}) {
    const auto parameter = parameters.find(name);
    if (!name.empty() && parameter != parameters.end()) {
      onnx::AttributeProto& attribute = *node.add_attribute();
      attribute = *parameter->second;
      attribute.set_name(std::string(name));
    }
  }
  return translator.Finish();
}

}  // namespace

absl::StatusOr<Translation> TranslateNode(const onnx::NodeProto& proto,
                                          std::size_t rank) {
  if (proto.domain() == "com.microsoft" && proto.op_type() == "FusedGemm") {
    RETURN_IF_ERROR(CheckArity(proto, /*least=*/2, /*most=*/3));
    return TranslateFusedGemm(proto);
  }
  if (proto.op_type() == "Scaler") {
    RETURN_IF_ERROR(CheckArity(proto, /*least=*/1, /*most=*/1));
    return TranslateScaler(proto);
  }
  if (proto.op_type() == "ArrayFeatureExtractor") {
    RETURN_IF_ERROR(CheckArity(proto, /*least=*/2, /*most=*/2));
    RETURN_IF_ERROR(ReadAttributes(proto, {}).status());
    return TranslateFeatureExtractor(proto, rank);
  }
  return absl::UnimplementedError(fmt::format(
      "{}: of the domain ai.onnx.ml, ArrayFeatureExtractor, Scaler and ZipMap "
      "are supported, of com.microsoft FusedGemm; export the network alone, "
      "without optimisations of ONNX Runtime",
      NodeText(proto)));
}

}  // namespace relu
