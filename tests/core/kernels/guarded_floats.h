// GuardedFloats: floats that end where memory does.

#ifndef TESTS_CORE_KERNELS_GUARDED_FLOATS_H_
#define TESTS_CORE_KERNELS_GUARDED_FLOATS_H_

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <span>

#include "core/base/check.h"

namespace relu::kernels {

// Whoever reads or writes beyond them ends the program.
class GuardedFloats {
 public:
  // As many as a page has at most.
  explicit GuardedFloats(std::size_t count)
      : page_bytes_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))),
        pages_(mmap(nullptr, 2 * page_bytes_, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    CHECK(pages_ != MAP_FAILED && count * sizeof(float) <= page_bytes_);
    auto* const end = static_cast<std::byte*>(pages_) + page_bytes_;
    CHECK(mprotect(end, page_bytes_, PROT_NONE) == 0);
    floats_ = {reinterpret_cast<float*>(end) - count, count};
  }
  ~GuardedFloats() { munmap(pages_, 2 * page_bytes_); }
  GuardedFloats(const GuardedFloats&) = delete;
  GuardedFloats& operator=(const GuardedFloats&) = delete;

  std::span<float> floats() { return floats_; }

 private:
  std::size_t page_bytes_;
  void* pages_;
  std::span<float> floats_;
};

}  // namespace relu::kernels

#endif  // TESTS_CORE_KERNELS_GUARDED_FLOATS_H_
