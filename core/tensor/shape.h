// Shape: the sizes of a tensor's dimensions, outermost first.

#ifndef CORE_TENSOR_SHAPE_H_
#define CORE_TENSOR_SHAPE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace relu {

// Sizes of 0 or more; in a model's signature, kBatchDim may stand first.
using Shape = std::vector<std::int64_t>;

// Stands for the number of rows, which each batch decides.
inline constexpr std::int64_t kBatchDim = -1;

// The product of the sizes; 1 for a scalar. Returns nullopt if a size is
// negative or the product, or that of the first few sizes, does not fit 63
// bits.
std::optional<std::int64_t> ElementCount(std::span<const std::int64_t> shape);

// "[2,3]", for messages.
std::string ShapeText(std::span<const std::int64_t> shape);

}  // namespace relu

#endif  // CORE_TENSOR_SHAPE_H_
