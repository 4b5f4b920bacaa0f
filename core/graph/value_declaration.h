// ReadDeclaration: what an ONNX file says about an input or output of a graph.

#ifndef CORE_GRAPH_VALUE_DECLARATION_H_
#define CORE_GRAPH_VALUE_DECLARATION_H_

#include <optional>
#include <string_view>

#include "absl/status/statusor.h"

#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"

namespace onnx {
class ValueInfoProto;
}  // namespace onnx

namespace relu {

struct ValueDeclaration {
  std::optional<DataType> type;  // nullopt: not said.
  // nullopt: not said. Sizes that are not known, or have a name, are -1.
  std::optional<Shape> shape;
};

// `what` ("input") is for messages. Errors, each naming the value:
// UNIMPLEMENTED unless it is a tensor of numbers or booleans; INVALID_ARGUMENT
// for sizes below -1.
absl::StatusOr<ValueDeclaration> ReadDeclaration(
    std::string_view what, const onnx::ValueInfoProto& info);

// Whether `declaration` allows a value of this type and shape. Sizes that are
// not known, -1, may be any.
bool Fits(const ValueDeclaration& declaration, DataType type,
          const Shape& shape);

}  // namespace relu

#endif  // CORE_GRAPH_VALUE_DECLARATION_H_
