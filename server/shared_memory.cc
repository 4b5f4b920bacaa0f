#include "server/shared_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "fmt/format.h"
#include "server/text.h"

namespace relu {
namespace {

constexpr std::size_t kMaxRegionNameBytes = 256;
// What C libraries take, less the slash and the final zero.
constexpr std::size_t kMaxKeyNameBytes = 254;
// POSIX semaphores lie beside the objects, under such names.
constexpr std::string_view kSemaphorePrefix = "sem.";

bool IsSafeKey(std::string_view key) {
  if (!key.starts_with('/')) {
    return false;
  }
  const std::string_view name = key.substr(1);
  return !name.empty() && name.size() <= kMaxKeyNameBytes &&
         !name.starts_with('.') && !name.starts_with(kSemaphorePrefix) &&
         std::ranges::all_of(
             name, [](char c) { return c > ' ' && c <= '~' && c != '/'; });
}

absl::Status CheckNames(const SharedMemoryPart& part) {
  if (part.name.empty() || part.name.size() > kMaxRegionNameBytes) {
    return absl::InvalidArgumentError(fmt::format(
        "shared memory region '{}': the name has {} bytes, expected 1 to {}",
        Printable(part.name), part.name.size(), kMaxRegionNameBytes));
  }
  if (!IsSafeKey(part.key)) {
    return absl::InvalidArgumentError(fmt::format(
        "shared memory region '{}': key '{}', expected '/' and a name of 1 to "
        "{} printable characters without another '/' that does not begin with "
        "'.' or '{}'",
        Printable(part.name), Printable(part.key), kMaxKeyNameBytes,
        kSemaphorePrefix));
  }
  return absl::OkStatus();
}

// For a call on the object that has failed with `error`.
absl::Status Failed(const SharedMemoryPart& part, std::string_view what,
                    int error) {
  const std::string message =
      fmt::format("shared memory region '{}': the object '{}' cannot be {}: {}",
                  Printable(part.name), part.key, what,
                  std::generic_category().message(error));
  switch (error) {
    case ENOENT:
      return absl::NotFoundError(message);
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(message);
    case EMFILE:
    case ENFILE:
    case ENOSPC:
    case ENOMEM:
      return absl::ResourceExhaustedError(message);
    case ELOOP:   // A link.
    case EINVAL:  // A folder, as the C library says it.
    case EISDIR:
    case ENXIO:  // A socket.
      return absl::InvalidArgumentError(message);
    default:
      return absl::InternalError(message);
  }
}

// The size of the object that is open as `fd`.
absl::StatusOr<std::uint64_t> ObjectBytes(const SharedMemoryPart& part,
                                          int fd) {
  struct stat state {};
  if (fstat(fd, &state) != 0) {
    return Failed(part, "examined", errno);
  }
  if (!S_ISREG(state.st_mode)) {
    return absl::InvalidArgumentError(
        fmt::format("shared memory region '{}': '{}' is no memory object",
                    Printable(part.name), part.key));
  }
  return static_cast<std::uint64_t>(state.st_size);
}

// Whether `bytes` from `offset` are within `size`; nothing overflows.
bool IsInside(std::uint64_t offset, std::uint64_t bytes, std::uint64_t size) {
  return offset <= size && bytes <= size - offset;
}

absl::Status CheckPart(const SharedMemoryPart& part, int fd) {
  ASSIGN_OR_RETURN(const std::uint64_t size, ObjectBytes(part, fd));
  if (part.byte_size > 0 && IsInside(part.offset, part.byte_size, size)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(fmt::format(
      "shared memory region '{}': {} bytes from offset {} of '{}', expected 1 "
      "or more inside of its {} bytes",
      Printable(part.name), part.byte_size, part.offset, part.key, size));
}

}  // namespace

absl::StatusOr<std::shared_ptr<const SharedMemoryRegion>>
SharedMemoryRegion::Open(SharedMemoryPart part) {
  RETURN_IF_ERROR(CheckNames(part));
  // A link is not followed, which shm_open() sees to by itself, too; what is no
  // memory is not waited for.
  const int fd =
      shm_open(part.key.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK, 0);
  if (fd < 0) {
    return Failed(part, "opened", errno);
  }
  auto region = std::make_shared<const SharedMemoryRegion>(ForOpen(),
                                                           std::move(part), fd);
  RETURN_IF_ERROR(CheckPart(region->part(), fd));
  return region;
}

SharedMemoryRegion::SharedMemoryRegion(ForOpen, SharedMemoryPart part, int fd)
    : part_(std::move(part)), fd_(fd) {}

SharedMemoryRegion::~SharedMemoryRegion() { close(fd_); }

absl::Status SharedMemoryRegion::CheckRange(std::uint64_t offset,
                                            std::uint64_t bytes) const {
  if (IsInside(offset, bytes, part_.byte_size)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(fmt::format(
      "shared memory region '{}': {} bytes from offset {}, expected "
      "them inside of its {} bytes",
      Printable(part_.name), bytes, offset, part_.byte_size));
}

absl::Status SharedMemoryRegion::Truncated() const {
  return absl::FailedPreconditionError(fmt::format(
      "shared memory region '{}': the object '{}' has been truncated, expected "
      "{} bytes from offset {}, as they were registered",
      Printable(part_.name), part_.key, part_.byte_size, part_.offset));
}

absl::Status SharedMemoryRegion::Read(std::uint64_t offset,
                                      std::span<std::byte> values) const {
  RETURN_IF_ERROR(CheckRange(offset, values.size()));
  auto at = static_cast<off_t>(part_.offset + offset);
  while (!values.empty()) {
    const ssize_t bytes = pread(fd_, values.data(), values.size(), at);
    if (bytes == 0) {
      return Truncated();
    }
    if (bytes < 0 && errno != EINTR) {
      return Failed(part_, "read", errno);
    }
    const ssize_t done = std::max<ssize_t>(bytes, 0);
    values = values.subspan(static_cast<std::size_t>(done));
    at += done;
  }
  return absl::OkStatus();
}

absl::Status SharedMemoryRegion::Write(
    std::uint64_t offset, std::span<const std::byte> values) const {
  RETURN_IF_ERROR(CheckRange(offset, values.size()));
  // Else the object would grow again. One that is truncated after this look
  // does: to no more than the client had made it.
  ASSIGN_OR_RETURN(const std::uint64_t size, ObjectBytes(part_, fd_));
  auto at = static_cast<off_t>(part_.offset + offset);
  if (!IsInside(static_cast<std::uint64_t>(at), values.size(), size)) {
    return Truncated();
  }
  while (!values.empty()) {
    const ssize_t bytes = pwrite(fd_, values.data(), values.size(), at);
    if (bytes == 0 || (bytes < 0 && errno != EINTR)) {
      return Failed(part_, "written", bytes == 0 ? EIO : errno);
    }
    const ssize_t done = std::max<ssize_t>(bytes, 0);
    values = values.subspan(static_cast<std::size_t>(done));
    at += done;
  }
  return absl::OkStatus();
}

absl::Status SharedMemoryRegions::Register(SharedMemoryPart part) {
  ASSIGN_OR_RETURN(std::shared_ptr<const SharedMemoryRegion> region,
                   SharedMemoryRegion::Open(std::move(part)));
  const std::string& name = region->part().name;
  const MutexLock lock(mu_);
  if (regions_.contains(name)) {
    return absl::AlreadyExistsError(
        fmt::format("shared memory region '{}' already in manager: unregister "
                    "it first, or take another name",
                    Printable(name)));
  }
  if (regions_.size() >= kMaxRegions) {
    return absl::ResourceExhaustedError(
        fmt::format("shared memory region '{}': {} are registered, which is "
                    "the most: unregister one first",
                    Printable(name), regions_.size()));
  }
  regions_.emplace(name, std::move(region));
  return absl::OkStatus();
}

void SharedMemoryRegions::Unregister(std::string_view name) {
  Map::node_type removed;  // Closed when the lock has gone.
  const MutexLock lock(mu_);
  if (const auto found = regions_.find(name); found != regions_.end()) {
    removed = regions_.extract(found);
  }
}

void SharedMemoryRegions::UnregisterAll() {
  Map removed;
  const MutexLock lock(mu_);
  removed.swap(regions_);
}

absl::StatusOr<std::shared_ptr<const SharedMemoryRegion>>
SharedMemoryRegions::Find(std::string_view name) const {
  const MutexLock lock(mu_);
  const auto found = regions_.find(name);
  if (found == regions_.end()) {
    return absl::NotFoundError(
        fmt::format("Unable to find shared memory region: '{}', expected one "
                    "that is registered",
                    Printable(name)));
  }
  return found->second;
}

std::vector<std::shared_ptr<const SharedMemoryRegion>>
SharedMemoryRegions::All() const {
  const MutexLock lock(mu_);
  std::vector<std::shared_ptr<const SharedMemoryRegion>> all;
  for (const auto& [name, region] : regions_) {
    all.push_back(region);
  }
  return all;
}

}  // namespace relu
