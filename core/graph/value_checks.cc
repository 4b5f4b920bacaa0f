#include "core/graph/value_checks.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/status.h"

#include "core/graph/elements.h"
#include "core/graph/graph.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"

namespace relu {
namespace {

// Far above any network that is served, far below what overflows when it is
// counted in bytes.
constexpr std::int64_t kMaxRowElements = std::int64_t{1} << 28U;

}  // namespace

// Products of some of the sizes never overflow, even if others are 0.
absl::Status CheckSize(std::string_view name, const ValueType& type) {
  if (type.shape.size() > kMaxRank) {
    return absl::UnimplementedError(
        fmt::format("value \"{}\" has {} dimensions, the most is {}", name,
                    type.shape.size(), kMaxRank));
  }
  Shape sizes = type.shape;
  for (std::int64_t& size : sizes) {
    size = std::max<std::int64_t>(size, 1);
  }
  const std::optional<std::int64_t> count = ElementCount(sizes);
  if (!count || *count > kMaxRowElements) {
    return absl::UnimplementedError(
        fmt::format("value \"{}\", shape {}: more elements than the {} a row "
                    "that are supported",
                    name, ShapeText(type.shape), kMaxRowElements));
  }
  return absl::OkStatus();
}

absl::Status CheckRowSize(std::string_view name, const ValueType& type) {
  const bool has_rows =
      std::ranges::find(type.shape, kBatchDim) != type.shape.end();
  return has_rows && std::ranges::find(type.shape, 0) != type.shape.end()
             ? absl::UnimplementedError(fmt::format(
                   "value \"{}\" has shape {}: its rows have no element, "
                   "wanted sizes of 1 or more",
                   name, ShapeText(type.shape)))
             : absl::OkStatus();
}

absl::Status CheckFinite(std::string_view name, const Tensor& tensor) {
  return IsFinite(tensor)
             ? absl::OkStatus()
             : absl::InvalidArgumentError(fmt::format(
                   "constant \"{}\" has an element that is NaN or infinite, "
                   "wanted finite numbers",
                   name));
}

}  // namespace relu
