// Tensors of an inference whose values lie in shared memory: their parameters,
// and where outputs go.

#ifndef SERVER_SHARED_MEMORY_TENSOR_H_
#define SERVER_SHARED_MEMORY_TENSOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/map.h"

#include "proto/inference.pb.h"
#include "server/shared_memory.h"

namespace relu {

using TensorParameters =
    google::protobuf::Map<std::string, inference::InferParameter>;

// Part of a region that is registered.
struct SharedMemoryRange {
  // nullptr: the tensor is not in shared memory.
  std::shared_ptr<const SharedMemoryRegion> region = nullptr;
  std::uint64_t offset = 0;
  std::uint64_t byte_size = 0;
};

// Whether the tensor is in shared memory, whatever else its parameters say.
bool InSharedMemory(const TensorParameters& parameters);

// Where a tensor with these parameters is. `regions` is nullptr if there is no
// shared memory here. Errors, which do not name the tensor:
//   INVALID_ARGUMENT  a parameter is missing or has another type, or the range
//                     is not inside of the region
//   NOT_FOUND         the region is not registered
//   UNIMPLEMENTED     there is no shared memory here
absl::StatusOr<SharedMemoryRange> FindSharedMemory(
    const TensorParameters& parameters, const SharedMemoryRegions* regions);

// What the values of the inputs in shared memory take together, as the request
// says. RESOURCE_EXHAUSTED if that is more than `max_bytes`.
absl::StatusOr<std::size_t> SharedInputBytes(
    const inference::ModelInferRequest& request, std::size_t max_bytes);

// An output of that number whose values go to shared memory.
struct SharedOutput {
  int index = 0;
  SharedMemoryRange range;
};

// Sets `outputs` to those of `request`, for which PrepareResponse() has made
// `response`. Errors: those of FindSharedMemory(); INVALID_ARGUMENT if the
// range is too small for the values, or classes are wanted of the output.
absl::Status FindSharedOutputs(const inference::ModelInferRequest& request,
                               const inference::ModelInferResponse& response,
                               const SharedMemoryRegions* regions,
                               std::vector<SharedOutput>& outputs);

// Moves the values of `outputs` from `response` to shared memory. Errors: those
// of SharedMemoryRegion::Write.
absl::Status WriteSharedOutputs(const std::vector<SharedOutput>& outputs,
                                inference::ModelInferResponse& response);

}  // namespace relu

#endif  // SERVER_SHARED_MEMORY_TENSOR_H_
