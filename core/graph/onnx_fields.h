// Fields of ONNX messages that proto/onnx.proto leaves out: the parser keeps
// them as bytes that it does not show.

#ifndef CORE_GRAPH_ONNX_FIELDS_H_
#define CORE_GRAPH_ONNX_FIELDS_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace relu {

// The field metadata_props of a ModelProto.
inline constexpr int kModelMetadata = 14;

// The entries of metadata_props whose keys begin with `prefix`, of a serialized
// model; quicker without its graph.
std::map<std::string, std::string, std::less<>> MetadataOf(
    const std::string& model, std::string_view prefix);

// The fields of a serialized message that `keeps` wants, byte for byte. It is
// given the number of a field and what it holds, if that is bytes.
std::string FilterFields(
    const std::string& message,
    const std::function<bool(int, const std::string&)>& keeps);

// Adds a field that holds bytes to a serialized message.
void AppendField(int number, std::string_view content, std::string& message);

}  // namespace relu

#endif  // CORE_GRAPH_ONNX_FIELDS_H_
