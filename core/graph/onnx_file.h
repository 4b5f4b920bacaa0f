// Reading ONNX files that nobody vouches for: parsed messages of bounded size.

#ifndef CORE_GRAPH_ONNX_FILE_H_
#define CORE_GRAPH_ONNX_FILE_H_

#include <filesystem>
#include <string_view>

#include "absl/status/statusor.h"

#include "core/base/file.h"

namespace onnx {
class ModelProto;
}  // namespace onnx

namespace relu {

// The file as it is opened for reading. Errors are those of File::Open() (the
// most is 2^31 - 1 bytes).
absl::StatusOr<File> OpenOnnxFile(const std::filesystem::path& file);

// What is in the file but for the elements of its tensors, which have
// `left_in_file` instead, and for fields that proto/onnx.proto leaves out;
// those of metadata_props are there. Takes memory for what it gives, not for
// the size of the file. Errors name the file: INTERNAL if it cannot be read,
// INVALID_ARGUMENT if it is no ONNX model.
absl::StatusOr<onnx::ModelProto> ReadOnnxOutline(const File& file);

// The parsed file, all of it. Errors name the file: those of both above.
absl::StatusOr<onnx::ModelProto> ReadOnnxFile(
    const std::filesystem::path& file);

// The same from the bytes of a file; errors do not name it.
absl::StatusOr<onnx::ModelProto> ParseOnnx(std::string_view bytes);

}  // namespace relu

#endif  // CORE_GRAPH_ONNX_FILE_H_
