// WeightMemory: the memory for the weights of all layers of a network, in one
// piece: in large pages where these are many, and without gaps.

#ifndef CORE_PLAN_WEIGHT_MEMORY_H_
#define CORE_PLAN_WEIGHT_MEMORY_H_

#include <cstddef>
#include <span>

#include "core/base/aligned_buffer.h"
#include "core/base/check.h"

namespace relu {

// Movable, with which what was taken stays where it is; thread-compatible.
class WeightMemory {
 public:
  WeightMemory() = default;
  // For pieces whose Size() adds up to `size_bytes`.
  explicit WeightMemory(std::size_t size_bytes) : buffer_(size_bytes) {}

  // What a piece of so many bytes takes.
  static std::size_t Size(std::size_t bytes) {
    return RoundUp(bytes, kBufferAlignment);
  }

  // The next `bytes`, zero, on a 64-byte boundary.
  std::span<std::byte> Take(std::size_t bytes) {
    CHECK(used_ + Size(bytes) <= buffer_.size());
    const std::span<std::byte> taken = buffer_.bytes().subspan(used_, bytes);
    used_ += Size(bytes);
    return taken;
  }

 private:
  AlignedBuffer buffer_;
  std::size_t used_ = 0;
};

}  // namespace relu

#endif  // CORE_PLAN_WEIGHT_MEMORY_H_
