// AlignedBuffer: memory for tensors and packed weights, aligned for SIMD.

#ifndef CORE_BASE_ALIGNED_BUFFER_H_
#define CORE_BASE_ALIGNED_BUFFER_H_

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>

namespace relu {

// One cache line, and the widest register we use (AVX-512).
inline constexpr std::size_t kBufferAlignment = 64;

// Rounds up to the next multiple of `unit`, a power of two.
constexpr std::size_t RoundUp(std::size_t value, std::size_t unit) {
  return (value + unit - 1) & ~(unit - 1);
}

// Owns zeroed bytes that start on a 64-byte boundary; many of them lie in large
// pages where the system has these. Movable; thread-compatible.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t size_bytes);
  // A buffer that was moved from is empty.
  AlignedBuffer(AlignedBuffer&& other) noexcept;
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept;

  std::size_t size() const { return size_; }
  std::span<std::byte> bytes() { return {data_.get(), size_}; }
  std::span<const std::byte> bytes() const { return {data_.get(), size_}; }

  // The same memory as elements of T, a trivial type.
  template <typename T>
  std::span<T> As() {
    return {reinterpret_cast<T*>(data_.get()), size_ / sizeof(T)};
  }
  template <typename T>
  std::span<const T> As() const {
    return {reinterpret_cast<const T*>(data_.get()), size_ / sizeof(T)};
  }

 private:
  struct Free {
    void operator()(std::byte* pointer) const { std::free(pointer); }
  };
  std::unique_ptr<std::byte[], Free> data_;
  std::size_t size_ = 0;
};

}  // namespace relu

#endif  // CORE_BASE_ALIGNED_BUFFER_H_
