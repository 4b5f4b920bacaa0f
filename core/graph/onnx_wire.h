// CheckOnnxWire: a look at an ONNX file before the parser allocates for it.

#ifndef CORE_GRAPH_ONNX_WIRE_H_
#define CORE_GRAPH_ONNX_WIRE_H_

#include <string_view>

#include "absl/status/status.h"

namespace relu {

// INVALID_ARGUMENT if `bytes`, at most 2^31 - 1 of them, are no well-formed
// ModelProto, or one that would take much more memory parsed than here: an
// empty message takes two bytes in a file and two hundred in memory, a number
// one and eight. At most 100,000 messages and names, and numbers of 16 MiB plus
// twice the file, may be in it.
absl::Status CheckOnnxWire(std::string_view bytes);

}  // namespace relu

#endif  // CORE_GRAPH_ONNX_WIRE_H_
