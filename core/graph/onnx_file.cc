#include "core/graph/onnx_file.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/base/status_prefix.h"
#include "core/graph/file_stream.h"
#include "core/graph/onnx_wire.h"
#include "proto/onnx.pb.h"

namespace relu {
namespace {

// What protobuf can parse. Larger weights stand in external data.
constexpr std::size_t kMaxFileBytes = std::numeric_limits<int>::max();

constexpr std::string_view kPointer = "version https://git-lfs";
constexpr int kReadBytes = 1 << 16;

// By the first bytes of a file.
absl::Status CheckBegin(std::string_view begin) {
  if (begin.empty()) {
    return absl::InvalidArgumentError("not an ONNX file: it is empty");
  }
  if (begin.starts_with(kPointer)) {
    return absl::InvalidArgumentError(
        "not an ONNX file, but a Git LFS pointer to one: run \"git lfs pull\"");
  }
  return absl::OkStatus();
}

absl::StatusOr<onnx::ModelProto> Parse(std::string_view bytes) {
  onnx::ModelProto model;
  if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::InvalidArgumentError(
        "not an ONNX file: damaged, or a name in it is not UTF-8");
  }
  return model;
}

absl::StatusOr<onnx::ModelProto> ParseOutline(const File& file) {
  std::string begin(std::min(kPointer.size(), file.size()), '\0');
  RETURN_IF_ERROR(file.Read(0, std::as_writable_bytes(std::span(begin))));
  RETURN_IF_ERROR(CheckBegin(begin));
  FileStream stream(file, 0, static_cast<std::int64_t>(file.size()));
  google::protobuf::io::CopyingInputStreamAdaptor adaptor(&stream, kReadBytes);
  const absl::StatusOr<std::string> outline = OutlineOnnx(adaptor, file.size());
  RETURN_IF_ERROR(stream.status());
  RETURN_IF_ERROR(outline.status());
  return Parse(*outline);
}

}  // namespace

absl::StatusOr<File> OpenOnnxFile(const std::filesystem::path& file) {
  return File::Open(file, kMaxFileBytes);
}

absl::StatusOr<onnx::ModelProto> ReadOnnxOutline(const File& file) {
  auto model = ParseOutline(file);
  if (!model.ok()) {
    return WithPrefix(file.path().string() + ": ", model.status());
  }
  return model;
}

absl::StatusOr<onnx::ModelProto> ParseOnnx(std::string_view bytes) {
  RETURN_IF_ERROR(CheckBegin(bytes));
  RETURN_IF_ERROR(CheckOnnxWire(bytes));
  return Parse(bytes);
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
