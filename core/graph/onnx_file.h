// ReadOnnxFile: from a file that nobody vouches for to a parsed message of
// bounded size.

#ifndef CORE_GRAPH_ONNX_FILE_H_
#define CORE_GRAPH_ONNX_FILE_H_

#include <filesystem>
#include <string_view>

#include "absl/status/statusor.h"

namespace onnx {
class ModelProto;
}  // namespace onnx

namespace relu {

// The parsed file. Errors name the file: those of ReadFile() (the most is
// 2^31 - 1 bytes), and INVALID_ARGUMENT if it is no ONNX model.
absl::StatusOr<onnx::ModelProto> ReadOnnxFile(
    const std::filesystem::path& file);

// The same from the bytes of a file; errors do not name it.
absl::StatusOr<onnx::ModelProto> ParseOnnx(std::string_view bytes);

}  // namespace relu

#endif  // CORE_GRAPH_ONNX_FILE_H_
