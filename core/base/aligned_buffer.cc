#include "core/base/aligned_buffer.h"

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/base/check.h"

namespace relu {

AlignedBuffer::AlignedBuffer(AlignedBuffer&& other) noexcept
    : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}

AlignedBuffer& AlignedBuffer::operator=(AlignedBuffer&& other) noexcept {
  data_ = std::move(other.data_);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

AlignedBuffer::AlignedBuffer(std::size_t size_bytes) : size_(size_bytes) {
  if (size_bytes == 0) {
    return;
  }
  const std::size_t capacity = RoundUp(size_bytes, kBufferAlignment);
  data_.reset(
      static_cast<std::byte*>(std::aligned_alloc(kBufferAlignment, capacity)));
  CHECK(data_ != nullptr);
  std::memset(data_.get(), 0, capacity);
}

}  // namespace relu
