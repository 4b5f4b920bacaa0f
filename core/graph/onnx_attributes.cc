#include "core/graph/onnx_attributes.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/base/status_prefix.h"
#include "core/graph/onnx_tensor.h"
#include "fmt/format.h"
#include "proto/onnx.pb.h"

namespace relu {
namespace {

using onnx::AttributeProto;

// The value of an attribute; nullopt if its type is not that of `like`.
std::optional<AttributeValue> Convert(const AttributeProto& proto,
                                      const AttributeValue& like) {
  if (std::holds_alternative<std::int64_t>(like) &&
      proto.type() == AttributeProto::INT) {
    return proto.i();
  }
  if (std::holds_alternative<float>(like) &&
      proto.type() == AttributeProto::FLOAT) {
    return proto.f();
  }
  if (std::holds_alternative<std::string>(like) &&
      proto.type() == AttributeProto::STRING) {
    return proto.s();
  }
  if (std::holds_alternative<std::vector<std::int64_t>>(like) &&
      proto.type() == AttributeProto::INTS) {
    return std::vector<std::int64_t>(proto.ints().begin(), proto.ints().end());
  }
  return std::nullopt;
}

// A vector of `values`, or a scalar of the only one.
template <typename T, typename Values>
Tensor MakeTensor(DataType type, const Values& values, bool is_scalar) {
  Tensor tensor(type, is_scalar
                          ? Shape{}
                          : Shape{static_cast<std::int64_t>(values.size())});
  std::ranges::copy(values, tensor.As<T>().begin());
  return tensor;
}

absl::StatusOr<Tensor> ReadConstant(const AttributeProto& attribute,
                                    TensorSource& source) {
  using Floats = std::vector<float>;
  using Integers = std::vector<std::int64_t>;
  const std::string& name = attribute.name();
  if (name == "value" && attribute.type() == AttributeProto::TENSOR) {
    return TensorFromOnnx(attribute.t(), source);
  }
  if (name == "value_float" && attribute.type() == AttributeProto::FLOAT) {
    return MakeTensor<float>(DataType::kFp32, Floats{attribute.f()}, true);
  }
  if (name == "value_floats" && attribute.type() == AttributeProto::FLOATS) {
    return MakeTensor<float>(DataType::kFp32, attribute.floats(), false);
  }
  if (name == "value_int" && attribute.type() == AttributeProto::INT) {
    return MakeTensor<std::int64_t>(DataType::kInt64, Integers{attribute.i()},
                                    true);
  }
  if (name == "value_ints" && attribute.type() == AttributeProto::INTS) {
    return MakeTensor<std::int64_t>(DataType::kInt64, attribute.ints(), false);
  }
  return absl::UnimplementedError(fmt::format(
      "attribute \"{}\" of type {} is not supported; wanted \"value\", "
      "\"value_float\", \"value_floats\", \"value_int\" or \"value_ints\"",
      name, static_cast<int>(attribute.type())));
}

}  // namespace

std::string NodeText(const onnx::NodeProto& proto) {
  const bool is_standard = proto.domain().empty();
  return fmt::format("node \"{}\" ({}{}{})", proto.name(), proto.domain(),
                     is_standard ? "" : ".", proto.op_type());
}

absl::StatusOr<Attributes> ReadAttributes(
    const onnx::NodeProto& proto,
    std::span<const AttributeDefinition> definitions) {
  Attributes attributes;
  for (const AttributeProto& attribute : proto.attribute()) {
    const auto definition = std::ranges::find(definitions, attribute.name(),
                                              &AttributeDefinition::name);
    if (definition == definitions.end()) {
      return absl::UnimplementedError(fmt::format(
          "{}: attribute \"{}\" is not supported; export without it, or with "
          "a newer opset",
          NodeText(proto), attribute.name()));
    }
    auto value = Convert(attribute, definition->default_value);
    if (!value || !attribute.ref_attr_name().empty()) {
      return absl::InvalidArgumentError(fmt::format(
          "{}: attribute \"{}\" has type {}, wanted another", NodeText(proto),
          attribute.name(), static_cast<int>(attribute.type())));
    }
    if (!attributes.emplace(attribute.name(), *std::move(value)).second) {
      return absl::InvalidArgumentError(
          fmt::format("{}: attribute \"{}\" is given twice, wanted once",
                      NodeText(proto), attribute.name()));
    }
  }
  for (const AttributeDefinition& definition : definitions) {
    const bool is_given = attributes.contains(definition.name);
    if (!is_given && definition.required) {
      return absl::InvalidArgumentError(fmt::format(
          "{}: attribute \"{}\" is missing", NodeText(proto), definition.name));
    }
    if (!is_given) {
      attributes.emplace(definition.name, definition.default_value);
    }
  }
  return attributes;
}

absl::Status CheckArity(const onnx::NodeProto& proto, std::size_t least,
                        std::size_t most, std::size_t most_outputs) {
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
  if (outputs < 1 || outputs > most_outputs) {
    return absl::InvalidArgumentError(fmt::format(
        "{}: {} outputs, wanted {}", NodeText(proto), outputs,
        most_outputs == 1            ? "1"
        : most_outputs == kAnyNumber ? "1 or more"
                                     : fmt::format("1 to {}", most_outputs)));
  }
  if (most_outputs == 1 && proto.output(0).empty()) {
    return absl::InvalidArgumentError(
        fmt::format("{}: its output has no name", NodeText(proto)));
  }
  return absl::OkStatus();
}

absl::StatusOr<Tensor> ReadFillValue(const onnx::NodeProto& proto,
                                     TensorSource& source) {
  if (proto.attribute_size() == 0) {
    return Tensor(DataType::kFp32, {});
  }
  const AttributeProto& attribute = proto.attribute(0);
  if (proto.attribute_size() > 1 || attribute.name() != "value" ||
      attribute.type() != AttributeProto::TENSOR) {
    return absl::UnimplementedError(fmt::format(
        "{}: attribute \"{}\" is not supported, wanted \"value\" alone, a "
        "tensor",
        NodeText(proto), attribute.name()));
  }
  auto value = TensorFromOnnx(attribute.t(), source);
  if (!value.ok()) {
    return WithPrefix(NodeText(proto) + ": ", value.status());
  }
  if (value->element_count() != 1) {
    return absl::InvalidArgumentError(
        fmt::format("{}: its value has {} elements, wanted 1", NodeText(proto),
                    value->element_count()));
  }
  value->Reshape({});
  return value;
}

absl::StatusOr<Tensor> ReadConstantNode(const onnx::NodeProto& proto,
                                        TensorSource& source) {
  if (proto.attribute_size() != 1 || proto.input_size() != 0 ||
      proto.output_size() != 1) {
    return absl::InvalidArgumentError(fmt::format(
        "{}: {} attributes, {} inputs and {} outputs, wanted 1, 0 and 1",
        NodeText(proto), proto.attribute_size(), proto.input_size(),
        proto.output_size()));
  }
  auto tensor = ReadConstant(proto.attribute(0), source);
  if (!tensor.ok()) {
    return WithPrefix(NodeText(proto) + ": ", tensor.status());
  }
  return tensor;
}

}  // namespace relu
