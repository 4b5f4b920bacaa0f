// The classification extension of the V2 protocol: an output as its highest
// classes, for clients that ask for it by the output's parameter
// `classification`.

#ifndef SERVER_CLASSIFICATION_H_
#define SERVER_CLASSIFICATION_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/plan/compiled_model.h"
#include "core/repository/class_labels.h"

namespace inference {
class ModelInferRequest;
class ModelInferRequest_InferRequestedOutputTensor;
class ModelInferResponse;
}  // namespace inference

namespace relu {

class Model;

// How many classes of each row the client wants of the output with this
// signature: at most as many as it has; 0: it wants the values. Errors:
// INVALID_ARGUMENT if the parameter is no positive integer, or if values of the
// output's type have no order or no rows.
absl::StatusOr<std::int64_t> WantedClasses(
    const inference::ModelInferRequest_InferRequestedOutputTensor& output,
    const TensorSignature& signature);

// What one class takes in an answer, at most.
std::size_t MaxClassBytes(const TensorSignature& signature,
                          const ClassLabels& labels);

// Turns the outputs of `response` of which `request` wants classes into them:
// BYTES of shape [rows, classes] (or [classes], without a batch dimension),
// each "score:index", or "score:index:label" if the class has a label, the
// highest first and among equals the first; NaN last. PrepareResponse() has
// made `response`, the model has computed it.
void Classify(const inference::ModelInferRequest& request, const Model& model,
              inference::ModelInferResponse& response);

}  // namespace relu

#endif  // SERVER_CLASSIFICATION_H_
