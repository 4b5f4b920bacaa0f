#include "core/graph/evaluation.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/tensor/shape.h"

namespace relu {
namespace {

// How far apart neighbours are, by dimension.
std::vector<std::size_t> Strides(const Shape& shape) {
  std::vector<std::size_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) {
    strides[i - 1] = strides[i] * static_cast<std::size_t>(shape[i]);
  }
  return strides;
}

}  // namespace

AxisView ViewFromAxis(const Shape& shape, std::int64_t axis) {
  AxisView view;
  const auto place = static_cast<std::size_t>(axis);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const auto size = static_cast<std::size_t>(shape[i]);
    if (i == place) {
      view.size = size;
    } else {
      (i < place ? view.outer : view.inner) *= size;
    }
  }
  return view;
}

IndexWalk::IndexWalk(Shape shape, std::vector<std::size_t> strides)
    : shape_(std::move(shape)),
      strides_(std::move(strides)),
      position_(shape_.size()) {}

std::size_t IndexWalk::Next() {
  const std::size_t index = index_;
  for (std::size_t i = shape_.size(); i-- > 0;) {
    index_ += strides_[i];
    if (++position_[i] < shape_[i]) {
      break;
    }
    index_ -= strides_[i] * static_cast<std::size_t>(shape_[i]);
    position_[i] = 0;
  }
  return index;
}

IndexWalk BroadcastWalk(const Shape& from, const Shape& to) {
  const std::vector<std::size_t> own = Strides(from);
  const std::size_t added = to.size() - from.size();
  std::vector<std::size_t> strides(to.size(), 0);
  for (std::size_t i = 0; i < from.size(); ++i) {
    strides[added + i] = from[i] == 1 ? 0 : own[i];
  }
  return {to, std::move(strides)};
}

IndexWalk TransposeWalk(const Shape& from,
                        std::span<const std::int64_t> order) {
  const std::vector<std::size_t> own = Strides(from);
  Shape to;
  std::vector<std::size_t> strides;
  for (const std::int64_t dimension : order) {
    to.push_back(from[static_cast<std::size_t>(dimension)]);
    strides.push_back(own[static_cast<std::size_t>(dimension)]);
  }
  return {std::move(to), std::move(strides)};
}

}  // namespace relu
