// The V2 messages of one inference and the InferenceRequest that the scheduler
// takes: checks the one against the model and makes the other, without copying
// tensors.

#ifndef SERVER_V2_CODEC_H_
#define SERVER_V2_CODEC_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"

#include "core/batching/inference_request.h"
#include "core/repository/model.h"

namespace inference {
class ModelInferRequest;
class ModelInferResponse;
}  // namespace inference

namespace relu {

class SharedMemoryRegions;

// Values of typed contents that had to be converted, and those out of shared
// memory, by input of the model. Kept between requests, so that the memory is
// taken once.
using ConvertedInputs = std::vector<std::vector<std::byte>>;

// Sets the rows, the inputs, the outputs (all nullptr), the timeout and the
// priority of `request`. The inputs point into `message` and `converted`.
// Inputs may be in `shared_memory`, unless that is nullptr; raw contents are
// those of the others. Unknown parameters are ignored.
// Errors: INVALID_ARGUMENT for whatever is wrong with the message;
// UNIMPLEMENTED for the parameters of sequences; those of FindSharedMemory()
// and SharedMemoryRegion::Read.
absl::Status DecodeRequest(const inference::ModelInferRequest& message,
                           const Model& model,
                           const SharedMemoryRegions* shared_memory,
                           ConvertedInputs& converted,
                           InferenceRequest& request);

// Makes the answer to a request that DecodeRequest() took, complete but for
// the values: the outputs of `request` then point into `response`, where the
// scheduler writes them. The answer is always raw, as Triton's is. Classes, if
// any are wanted, are made of the values by Classify(), once they are there.
// Errors: INVALID_ARGUMENT for outputs that do not exist or are asked for
// twice, and those of WantedClasses(); RESOURCE_EXHAUSTED if the values take
// more than `max_bytes`.
absl::Status PrepareResponse(const inference::ModelInferRequest& message,
                             const Model& model, std::size_t max_bytes,
                             InferenceRequest& request,
                             inference::ModelInferResponse& response);

}  // namespace relu

#endif  // SERVER_V2_CODEC_H_
