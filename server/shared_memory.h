// SharedMemoryRegions: the parts of POSIX shared memory objects that clients
// have registered, for tensors that do not go over the wire.
//
// The objects belong to clients, who may write to them, truncate and remove
// them at any moment. So nothing is used where it lies: values are copied, and
// what was checked is what is computed with. pread() and pwrite() end with an
// error where touching a mapping would end the process (SIGBUS): for an object
// that was truncated, or a system without memory for it. Measured, they take
// 0.2 us and 26 us a MB more than memcpy(), which takes 28 us a MB.

#ifndef SERVER_SHARED_MEMORY_H_
#define SERVER_SHARED_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/mutex.h"

namespace relu {

// `byte_size` bytes from `offset` of the shared memory object `key`, which
// shm_open() knows by that name.
struct SharedMemoryPart {
  std::string name;
  std::string key;
  std::uint64_t offset = 0;
  std::uint64_t byte_size = 0;
};

// Holds the object open. Thread-safe; copies by several threads, and those of
// clients, may mix.
class SharedMemoryRegion {
  // Keeps the constructor for Open(), although std::make_shared calls it.
  struct ForOpen {
    explicit ForOpen() = default;
  };

 public:
  // Errors:
  //   INVALID_ARGUMENT   the name is empty or of more than 256 bytes; the key
  //   is
  //                      no "/name" of 1 to 254 printable characters that does
  //                      not begin with "." or "sem." (a semaphore); the object
  //                      is no memory; the part is empty or not inside of it
  //   NOT_FOUND          there is no such object
  //   PERMISSION_DENIED  the server may not read and write it
  //   RESOURCE_EXHAUSTED no more files can be open
  //   INTERNAL           any other failure
  static absl::StatusOr<std::shared_ptr<const SharedMemoryRegion>> Open(
      SharedMemoryPart part);

  SharedMemoryRegion(ForOpen, SharedMemoryPart part, int fd);
  ~SharedMemoryRegion();

  SharedMemoryRegion(const SharedMemoryRegion&) = delete;
  SharedMemoryRegion& operator=(const SharedMemoryRegion&) = delete;

  const SharedMemoryPart& part() const { return part_; }

  // INVALID_ARGUMENT unless `bytes` bytes from `offset` are inside the region.
  absl::Status CheckRange(std::uint64_t offset, std::uint64_t bytes) const;

  // Copies from or to `offset` of the region. Errors:
  //   those of CheckRange
  //   FAILED_PRECONDITION  the object has been truncated; some of the values
  //                        may have been copied, as after the next two
  //   RESOURCE_EXHAUSTED   the system has no memory left for the object
  //   INTERNAL             any other failure
  absl::Status Read(std::uint64_t offset, std::span<std::byte> values) const;
  absl::Status Write(std::uint64_t offset,
                     std::span<const std::byte> values) const;

 private:
  absl::Status Truncated() const;

  const SharedMemoryPart part_;
  const int fd_;
};

// Thread-safe.
class SharedMemoryRegions {
 public:
  // Each holds a file open.
  static constexpr std::size_t kMaxRegions = 256;

  // Errors: those of SharedMemoryRegion::Open; ALREADY_EXISTS for a name that
  // is registered; RESOURCE_EXHAUSTED beyond kMaxRegions.
  absl::Status Register(SharedMemoryPart part) ABSL_LOCKS_EXCLUDED(mu_);

  // Requests that are under way still use it. Nothing happens if there is none.
  void Unregister(std::string_view name) ABSL_LOCKS_EXCLUDED(mu_);
  void UnregisterAll() ABSL_LOCKS_EXCLUDED(mu_);

  // NOT_FOUND if it is not registered.
  absl::StatusOr<std::shared_ptr<const SharedMemoryRegion>> Find(
      std::string_view name) const ABSL_LOCKS_EXCLUDED(mu_);

  // By name.
  std::vector<std::shared_ptr<const SharedMemoryRegion>> All() const
      ABSL_LOCKS_EXCLUDED(mu_);

 private:
  using Map = std::map<std::string, std::shared_ptr<const SharedMemoryRegion>,
                       std::less<>>;

  mutable Mutex mu_;
  Map regions_ ABSL_GUARDED_BY(mu_);
};

}  // namespace relu

#endif  // SERVER_SHARED_MEMORY_H_
