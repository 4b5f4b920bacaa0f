// MemoryObject: a POSIX shared memory object as a client of the server makes
// it.

#ifndef TESTS_SERVER_MEMORY_OBJECT_H_
#define TESTS_SERVER_MEMORY_OBJECT_H_

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "fmt/format.h"

namespace relu {

// A name that no other test has, without the slash.
inline std::string UniqueObjectName() {
  static std::atomic<int> count = 0;
  return fmt::format("relud-test-{}-{}", getpid(), count++);
}

// Where Linux keeps the object of this key.
inline std::filesystem::path ObjectFile(const std::string& key) {
  return "/dev/shm" + key;
}

// For one thread. The object goes with it.
class MemoryObject {
 public:
  explicit MemoryObject(std::size_t bytes)
      : key_("/" + UniqueObjectName()), size_(bytes) {
    const int fd = shm_open(key_.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0);
    CHECK(ftruncate(fd, static_cast<off_t>(bytes)) == 0);
    void* const memory =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(memory != MAP_FAILED);
    close(fd);
    memory_ = static_cast<std::byte*>(memory);
  }
  ~MemoryObject() {
    munmap(memory_, size_);
    shm_unlink(key_.c_str());
  }

  MemoryObject(const MemoryObject&) = delete;
  MemoryObject& operator=(const MemoryObject&) = delete;

  const std::string& key() const { return key_; }
  std::span<std::byte> bytes() { return {memory_, size_}; }

  // What was cut off must not be touched any more.
  void Truncate(std::size_t bytes) const {
    std::filesystem::resize_file(ObjectFile(key_), bytes);
  }
  std::uintmax_t size() const {
    return std::filesystem::file_size(ObjectFile(key_));
  }

  void Fill(std::size_t offset, const std::string& values) {
    std::memcpy(memory_ + offset, values.data(), values.size());
  }
  template <typename T>
  std::vector<T> Values(std::size_t offset, std::size_t count) const {
    std::vector<T> values(count);
    std::memcpy(values.data(), memory_ + offset, count * sizeof(T));
    return values;
  }

 private:
  const std::string key_;
  const std::size_t size_;
  std::byte* memory_;
};

}  // namespace relu

#endif  // TESTS_SERVER_MEMORY_OBJECT_H_
