// ScratchFloats: memory for floats that are written before they are read.

#ifndef CORE_RELU_SCRATCH_FLOATS_H_
#define CORE_RELU_SCRATCH_FLOATS_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/base/aligned_buffer.h"

namespace relu {

// Floats of any value, that start on a cache line. What runs for a microsecond
// has no time to clear memory, nor for an aligned allocation, for which the
// allocator keeps no list. Thread-compatible.
class ScratchFloats {
 public:
  // In `place`, which starts on a cache line and outlives it, if they fit.
  explicit ScratchFloats(std::size_t count, std::span<float> place = {})
      : first_(place.data()) {
    if (count > place.size()) {
      memory_ = std::make_unique_for_overwrite<float[]>(count + kMostOffset);
      const auto address = std::bit_cast<std::uintptr_t>(memory_.get());
      first_ = memory_.get() +
               (RoundUp(address, kBufferAlignment) - address) / sizeof(float);
    }
  }

  float* data() { return first_; }
  const float* data() const { return first_; }

 private:
  static constexpr std::size_t kMostOffset = kBufferAlignment / sizeof(float);

  std::unique_ptr<float[]> memory_;
  float* first_;  // In memory_, or in a place of somebody else.
};

}  // namespace relu

#endif  // CORE_RELU_SCRATCH_FLOATS_H_
