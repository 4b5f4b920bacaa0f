#include "core/graph/graph.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/check.h"
#include "fmt/format.h"

namespace relu {
namespace {

// In the order of the enumeration.
constexpr std::string_view kOperatorNames[] = {"Abs",
                                               "Add",
                                               "And",
                                               "ArgMax",
                                               "ArgMin",
                                               "BatchNormalization",
                                               "Cast",
                                               "Ceil",
                                               "Celu",
                                               "Clip",
                                               "Concat",
                                               "DequantizeLinear",
                                               "Div",
                                               "DynamicQuantizeLinear",
                                               "Elu",
                                               "Equal",
                                               "Erf",
                                               "Exp",
                                               "Expand",
                                               "Flatten",
                                               "Floor",
                                               "Gather",
                                               "Gelu",
                                               "Gemm",
                                               "Greater",
                                               "GreaterOrEqual",
                                               "HardSigmoid",
                                               "HardSwish",
                                               "LayerNormalization",
                                               "LeakyRelu",
                                               "Less",
                                               "LessOrEqual",
                                               "Log",
                                               "LogSoftmax",
                                               "MatMul",
                                               "MatMulInteger",
                                               "Max",
                                               "Mean",
                                               "Min",
                                               "Mish",
                                               "Mul",
                                               "Neg",
                                               "Not",
                                               "Or",
                                               "PRelu",
                                               "Pow",
                                               "QLinearMatMul",
                                               "QuantizeLinear",
                                               "Reciprocal",
                                               "ReduceMax",
                                               "ReduceMean",
                                               "ReduceMin",
                                               "ReduceProd",
                                               "ReduceSum",
                                               "Relu",
                                               "Reshape",
                                               "Round",
                                               "Selu",
                                               "Shape",
                                               "Sigmoid",
                                               "Sign",
                                               "Size",
                                               "Slice",
                                               "Softmax",
                                               "Softplus",
                                               "Softsign",
                                               "Split",
                                               "Sqrt",
                                               "Squeeze",
                                               "Sub",
                                               "Sum",
                                               "Swish",
                                               "Tanh",
                                               "ThresholdedRelu",
                                               "TopK",
                                               "Transpose",
                                               "Unsqueeze",
                                               "Where",
                                               "Xor"};

template <typename T>
const T& AttributeOf(const Node& node, std::string_view name) {
  const auto found = node.attributes.find(name);
  CHECK(found != node.attributes.end());
  const T* const value = std::get_if<T>(&found->second);
  CHECK(value != nullptr);
  return *value;
}

}  // namespace

std::int64_t IntAttribute(const Node& node, std::string_view name) {
  return AttributeOf<std::int64_t>(node, name);
}

float FloatAttribute(const Node& node, std::string_view name) {
  return AttributeOf<float>(node, name);
}

const std::vector<std::int64_t>& IntsAttribute(const Node& node,
                                               std::string_view name) {
  return AttributeOf<std::vector<std::int64_t>>(node, name);
}

std::string_view OperatorName(Operator op) {
  return kOperatorNames[static_cast<std::size_t>(op)];
}

std::string NodeText(const Node& node) {
  return fmt::format("node \"{}\" ({})", node.name, OperatorName(node.op));
}

}  // namespace relu
