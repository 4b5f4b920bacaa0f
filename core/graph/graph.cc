#include "core/graph/graph.h"

#include <array>
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
constexpr std::array<std::string_view, 17> kOperatorNames = {
    "Add",     "ArgMax",  "Cast",   "Concat", "Div",      "Flatten",
    "Gather",  "Gemm",    "MatMul", "Mul",    "Relu",     "Reshape",
    "Sigmoid", "Softmax", "Sub",    "Tanh",   "Transpose"};

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
