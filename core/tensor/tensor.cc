#include "core/tensor/tensor.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "core/base/check.h"

namespace relu {

Tensor::Tensor(DataType type, Shape shape)
    : Tensor(WithoutElements(type, std::move(shape))) {
  buffer_ = AlignedBuffer(static_cast<std::size_t>(element_count_) *
                          DataTypeSize(type));
}

Tensor Tensor::WithoutElements(DataType type, Shape shape) {
  const std::optional<std::int64_t> count = ElementCount(shape);
  CHECK(count.has_value());
  CHECK(static_cast<std::size_t>(*count) <=
        std::numeric_limits<std::size_t>::max() / DataTypeSize(type));
  Tensor tensor;
  tensor.type_ = type;
  tensor.shape_ = std::move(shape);
  tensor.element_count_ = *count;
  return tensor;
}

void Tensor::Reshape(Shape shape) {
  CHECK(ElementCount(shape) == element_count_);
  shape_ = std::move(shape);
}

Tensor Tensor::Clone() const {
  Tensor copy(type_, shape_);
  std::ranges::copy(bytes(), copy.bytes().begin());
  return copy;
}

void Tensor::CheckElementSize(std::size_t size_bytes) const {
  CHECK(size_bytes == DataTypeSize(type_));
}

}  // namespace relu
