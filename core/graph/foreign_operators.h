// TranslateNode: operators of other domains that are found around and in
// networks, as nodes of standard operators.

#ifndef CORE_GRAPH_FOREIGN_OPERATORS_H_
#define CORE_GRAPH_FOREIGN_OPERATORS_H_

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"

namespace onnx {
class NodeProto;
class TensorProto;
}  // namespace onnx

namespace relu {

struct Translation {
  // In the order of execution; the last gives the output of the node, the
  // others have names that begin with its own.
  std::vector<onnx::NodeProto> nodes;
  std::vector<onnx::TensorProto> initializers;
};

// Of ai.onnx.ml, which scikit-learn's exporter writes: Scaler and
// ArrayFeatureExtractor. Of com.microsoft, which ONNX Runtime writes when it
// saves an optimised model: FusedGemm. `rank` is that of input 0. Errors, each
// naming the node: UNIMPLEMENTED for other operators and attributes;
// INVALID_ARGUMENT for other numbers of inputs and outputs.
absl::StatusOr<Translation> TranslateNode(const onnx::NodeProto& proto,
                                          std::size_t rank);

}  // namespace relu

#endif  // CORE_GRAPH_FOREIGN_OPERATORS_H_
