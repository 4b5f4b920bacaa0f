#include "core/graph/onnx_file.h"

#include <cstddef>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/base/status_prefix.h"
#include "core/graph/onnx_wire.h"
#include "proto/onnx.pb.h"

namespace relu {
namespace {

// What protobuf can parse. Larger weights stand in external data.
constexpr std::size_t kMaxFileBytes = std::numeric_limits<int>::max();

}  // namespace

absl::StatusOr<onnx::ModelProto> ParseOnnx(std::string_view bytes) {
  if (bytes.empty()) {
    return absl::InvalidArgumentError("not an ONNX file: it is empty");
  }
  if (bytes.starts_with("version https://git-lfs")) {
    return absl::InvalidArgumentError(
        "not an ONNX file, but a Git LFS pointer to one: run \"git lfs pull\"");
  }
  RETURN_IF_ERROR(CheckOnnxWire(bytes));
  onnx::ModelProto model;
  if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::InvalidArgumentError(
        "not an ONNX file: damaged, or a name in it is not UTF-8");
  }
  return model;
}

absl::StatusOr<onnx::ModelProto> ReadOnnxFile(
    const std::filesystem::path& file) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(file, kMaxFileBytes));
  auto model = ParseOnnx(bytes);
  if (!model.ok()) {
    return WithPrefix(file.string() + ": ", model.status());
  }
  return model;
}

}  // namespace relu
