#include "server/shared_memory_handlers.h"

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "proto/inference.pb.h"
#include "server/shared_memory.h"

namespace relu {
namespace {

void AddStatus(const SharedMemoryPart& part,
               inference::SystemSharedMemoryStatusResponse& response) {
  auto& status = (*response.mutable_regions())[part.name];
  status.set_name(part.name);
  status.set_key(part.key);
  status.set_offset(part.offset);
  status.set_byte_size(part.byte_size);
}

}  // namespace

absl::Status SharedMemoryStatus(
    const inference::SystemSharedMemoryStatusRequest& request,
    const SharedMemoryRegions& regions,
    inference::SystemSharedMemoryStatusResponse& response) {
  if (!request.name().empty()) {
    ASSIGN_OR_RETURN(const std::shared_ptr<const SharedMemoryRegion> region,
                     regions.Find(request.name()));
    AddStatus(region->part(), response);
    return absl::OkStatus();
  }
  for (const auto& region : regions.All()) {
    AddStatus(region->part(), response);
  }
  return absl::OkStatus();
}

absl::Status RegisterSharedMemory(
    const inference::SystemSharedMemoryRegisterRequest& request,
    SharedMemoryRegions& regions) {
  return regions.Register({.name = request.name(),
                           .key = request.key(),
                           .offset = request.offset(),
                           .byte_size = request.byte_size()});
}

absl::Status UnregisterSharedMemory(
    const inference::SystemSharedMemoryUnregisterRequest& request,
    SharedMemoryRegions& regions) {
  if (request.name().empty()) {
    regions.UnregisterAll();
  } else {
    regions.Unregister(request.name());
  }
  return absl::OkStatus();
}

}  // namespace relu
