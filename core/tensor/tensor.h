// Tensor: values of one type in row-major order, with their shape.

#ifndef CORE_TENSOR_TENSOR_H_
#define CORE_TENSOR_TENSOR_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/aligned_buffer.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"

namespace relu {

// Owns its elements, which start as zero. Movable; thread-compatible.
class Tensor {
 public:
  Tensor() = default;
  // `shape` has no negative size and its bytes fit memory: CHECKed.
  Tensor(DataType type, Shape shape);

  // Has a type and a shape alone: bytes() is empty, whatever the shape.
  static Tensor WithoutElements(DataType type, Shape shape);

  DataType type() const { return type_; }
  const Shape& shape() const { return shape_; }
  std::int64_t element_count() const { return element_count_; }

  std::span<std::byte> bytes() { return buffer_.bytes(); }
  std::span<const std::byte> bytes() const { return buffer_.bytes(); }

  // The elements as T, whose size must be that of type(): CHECKed.
  template <typename T>
  std::span<T> As() {
    CheckElementSize(sizeof(T));
    return buffer_.As<T>();
  }
  template <typename T>
  std::span<const T> As() const {
    CheckElementSize(sizeof(T));
    return buffer_.As<T>();
  }

  // Gives the same elements another shape with the same element count: CHECKed.
  void Reshape(Shape shape);

  // A second tensor with the same content.
  Tensor Clone() const;

 private:
  void CheckElementSize(std::size_t size_bytes) const;

  DataType type_ = DataType::kFp32;
  Shape shape_{0};
  std::int64_t element_count_ = 0;
  AlignedBuffer buffer_;
};

}  // namespace relu

#endif  // CORE_TENSOR_TENSOR_H_
