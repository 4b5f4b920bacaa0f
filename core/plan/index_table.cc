#include "core/plan/index_table.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace relu {
namespace {

struct Dimension {
  std::size_t size = 1;
  std::size_t stride = 0;  // Of the source, in elements.
};

// The source's elements in the order in which nested loops over `dimensions`,
// the last one innermost, meet them.
IndexTable WalkStrides(std::span<const Dimension> dimensions) {
  IndexTable table{0};
  for (const Dimension& dimension : dimensions) {
    IndexTable next(table.size() * dimension.size);
    std::size_t position = 0;
    for (const std::uint32_t base : table) {
      for (std::size_t i = 0; i < dimension.size; ++i) {
        next[position++] =
            static_cast<std::uint32_t>(base + i * dimension.stride);
      }
    }
    table = std::move(next);
  }
  return table;
}

// The dimensions of a row-major tensor.
std::vector<Dimension> RowMajor(std::span<const std::int64_t> shape) {
  std::vector<Dimension> dimensions(shape.size());
  std::size_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    dimensions[i] = {.size = static_cast<std::size_t>(shape[i]),
                     .stride = stride};
    stride *= dimensions[i].size;
  }
  return dimensions;
}

}  // namespace

std::optional<IndexTable> BroadcastTable(std::span<const std::int64_t> from,
                                         std::span<const std::int64_t> to) {
  if (from.size() > to.size()) {
    return std::nullopt;
  }
  const std::vector<Dimension> source = RowMajor(from);
  std::vector<Dimension> dimensions = RowMajor(to);
  const std::size_t missing = to.size() - from.size();
  for (std::size_t i = 0; i < to.size(); ++i) {
    const bool repeats = i < missing || from[i - missing] == 1;
    if (!repeats && from[i - missing] != to[i]) {
      return std::nullopt;
    }
    dimensions[i].stride = repeats ? 0 : source[i - missing].stride;
  }
  return WalkStrides(dimensions);
}

IndexTable TransposeTable(std::span<const std::int64_t> shape,
                          std::span<const std::int64_t> permutation) {
  const std::vector<Dimension> source = RowMajor(shape);
  std::vector<Dimension> dimensions;
  for (const std::int64_t from : permutation) {
    dimensions.push_back(source[static_cast<std::size_t>(from)]);
  }
  return WalkStrides(dimensions);
}

IndexTable SelectionTable(const Selection& selection) {
  IndexTable table;
  table.reserve(selection.outer * selection.positions.size() * selection.inner);
  for (std::size_t i = 0; i < selection.outer; ++i) {
    for (const std::int64_t position : selection.positions) {
      const std::size_t slice =
          i * selection.size + static_cast<std::size_t>(position);
      for (std::size_t j = 0; j < selection.inner; ++j) {
        table.push_back(
            static_cast<std::uint32_t>(slice * selection.inner + j));
      }
    }
  }
  return table;
}

IndexTable RangeTable(std::span<const AxisRange> ranges) {
  IndexTable table{0};
  for (const AxisRange& range : ranges) {
    IndexTable next;
    next.reserve(table.size() * static_cast<std::size_t>(range.count));
    for (const std::uint32_t base : table) {
      for (std::int64_t i = 0; i < range.count; ++i) {
        next.push_back(static_cast<std::uint32_t>(
            base * range.size + range.start + i * range.step));
      }
    }
    table = std::move(next);
  }
  return table;
}

bool IsIdentity(const IndexTable& table, std::size_t source_elements) {
  if (table.size() != source_elements) {
    return false;
  }
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table[i] != i) {
      return false;
    }
  }
  return true;
}

}  // namespace relu
