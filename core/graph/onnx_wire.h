// OutlineOnnx: the bytes of an ONNX file without those of its weights, before
// the parser allocates for it.

#ifndef CORE_GRAPH_ONNX_WIRE_H_
#define CORE_GRAPH_ONNX_WIRE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace google::protobuf::io {
class ZeroCopyInputStream;
}  // namespace google::protobuf::io

namespace relu {

// A ModelProto like the one in `bytes`, of which there are `size`, at most
// 2^31 - 1. It lacks the fields that proto/onnx.proto leaves out,
// metadata_props of the model apart, and has `left_in_file` instead of what its
// tensors hold. INVALID_ARGUMENT if `bytes` are not well-formed, or would take
// much more memory parsed than here: an empty message takes two bytes in a file
// and two hundred in memory, a number one and eight. There may be at most
// 100,000 messages and names in it, integers outside of tensors that take 4
// MiB, and 16 MiB plus half of `size` in all.
absl::StatusOr<std::string> OutlineOnnx(
    google::protobuf::io::ZeroCopyInputStream& bytes, std::size_t size);

// Only whether OutlineOnnx() would take `bytes`, and they would also take
// little memory if they were parsed as a whole: the numbers in tensors that are
// not raw data take at most 16 MiB plus twice the file.
absl::Status CheckOnnxWire(std::string_view bytes);

}  // namespace relu

#endif  // CORE_GRAPH_ONNX_WIRE_H_
