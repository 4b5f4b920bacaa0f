#include "core/graph/value_declaration.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/graph/graph.h"
#include "core/graph/onnx_tensor.h"
#include "fmt/format.h"
#include "proto/onnx.pb.h"

namespace relu {

absl::StatusOr<ValueDeclaration> ReadDeclaration(
    std::string_view what, const onnx::ValueInfoProto& info) {
  ValueDeclaration declaration;
  if (info.type().value_case() == onnx::TypeProto::VALUE_NOT_SET) {
    return declaration;
  }
  if (!info.type().has_tensor_type()) {
    return absl::UnimplementedError(
        fmt::format("{} \"{}\" is a sequence, map or sparse tensor; only plain "
                    "tensors are supported: export without ZipMap and the like",
                    what, info.name()));
  }
  const onnx::TypeProto::Tensor& tensor = info.type().tensor_type();
  declaration.type = DataTypeFromOnnx(tensor.elem_type());
  if (!declaration.type) {
    return absl::UnimplementedError(
        fmt::format("{} \"{}\" has ONNX element type {}; only numbers and "
                    "booleans are supported",
                    what, info.name(), tensor.elem_type()));
  }
  if (!tensor.has_shape()) {
    return declaration;
  }
  const onnx::TensorShapeProto& shape = tensor.shape();
  if (static_cast<std::size_t>(shape.dim_size()) > kMaxRank) {
    return absl::UnimplementedError(
        fmt::format("{} \"{}\" has {} dimensions, the most is {}", what,
                    info.name(), shape.dim_size(), kMaxRank));
  }
  declaration.shape.emplace();
  for (const onnx::TensorShapeProto::Dimension& dim : shape.dim()) {
    const std::int64_t size = dim.has_dim_value() ? dim.dim_value() : -1;
    if (size < -1) {
      return absl::InvalidArgumentError(fmt::format(
          "{} \"{}\" has a dimension of size {}", what, info.name(), size));
    }
    declaration.shape->push_back(size);
  }
  return declaration;
}

bool Fits(const ValueDeclaration& declaration, DataType type,
          const Shape& shape) {
  const auto is_possible = [](std::int64_t declared, std::int64_t size) {
    return declared == -1 || size == -1 || declared == size;
  };
  return declaration.type.value_or(type) == type &&
         (!declaration.shape ||
          std::ranges::equal(*declaration.shape, shape, is_possible));
}

}  // namespace relu
