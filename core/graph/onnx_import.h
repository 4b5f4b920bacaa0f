// ImportOnnx: from an ONNX file to a checked Graph.

#ifndef CORE_GRAPH_ONNX_IMPORT_H_
#define CORE_GRAPH_ONNX_IMPORT_H_

#include <filesystem>

#include "absl/status/statusor.h"

#include "core/graph/graph.h"

namespace onnx {
class GraphProto;
class ModelProto;
}  // namespace onnx

namespace relu {

// Reads `file`, and the external data it names inside its own folder. Nothing
// in the file is trusted: sizes, counts and names are checked before memory is
// taken for them. Errors name the file, the node or tensor, and the reason:
//   NOT_FOUND         the file, or a file with external data, is missing
//   INVALID_ARGUMENT  the file is not valid ONNX, or its parts contradict
//   UNIMPLEMENTED     it is valid, but uses what we do not support
//   PERMISSION_DENIED, INTERNAL   a file cannot be read
// Weights that are not finite are refused (INVALID_ARGUMENT).
absl::StatusOr<Graph> ImportOnnx(const std::filesystem::path& file);

// The same from a parsed file; errors do not name it. `folder` holds its
// external data.
absl::StatusOr<Graph> ImportOnnx(onnx::ModelProto model,
                                 const std::filesystem::path& folder);

// Gives a name to each node that has none, and one spelling to the standard
// domain, as ImportOnnx() does.
void NormalizeOnnxNodes(onnx::GraphProto& graph);

}  // namespace relu

#endif  // CORE_GRAPH_ONNX_IMPORT_H_
