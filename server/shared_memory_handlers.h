// The RPCs of system shared memory, free of any transport.

#ifndef SERVER_SHARED_MEMORY_HANDLERS_H_
#define SERVER_SHARED_MEMORY_HANDLERS_H_

#include "absl/status/status.h"

namespace inference {
class SystemSharedMemoryRegisterRequest;
class SystemSharedMemoryRegisterResponse;
class SystemSharedMemoryStatusRequest;
class SystemSharedMemoryStatusResponse;
class SystemSharedMemoryUnregisterRequest;
class SystemSharedMemoryUnregisterResponse;
}  // namespace inference

namespace relu {

class SharedMemoryRegions;

// What is registered: the region that the request names, or all. NOT_FOUND if
// it is not registered.
absl::Status SharedMemoryStatus(
    const inference::SystemSharedMemoryStatusRequest& request,
    const SharedMemoryRegions& regions,
    inference::SystemSharedMemoryStatusResponse& response);

// Errors: those of SharedMemoryRegions::Register.
absl::Status RegisterSharedMemory(
    const inference::SystemSharedMemoryRegisterRequest& request,
    SharedMemoryRegions& regions);

// The region that the request names, or all. That there is none is no error, as
// in Triton.
absl::Status UnregisterSharedMemory(
    const inference::SystemSharedMemoryUnregisterRequest& request,
    SharedMemoryRegions& regions);

}  // namespace relu

#endif  // SERVER_SHARED_MEMORY_HANDLERS_H_
