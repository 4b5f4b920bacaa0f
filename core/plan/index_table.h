// IndexTable: where each element of a rearranged row comes from.

#ifndef CORE_PLAN_INDEX_TABLE_H_
#define CORE_PLAN_INDEX_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace relu {

// Element i of the result is element table[i] of the source. All shapes here
// have less than 2^32 elements.
using IndexTable = std::vector<std::uint32_t>;

// From shape `from` to shape `to` by the rules of NumPy's broadcasting; nullopt
// if they do not allow it.
std::optional<IndexTable> BroadcastTable(std::span<const std::int64_t> from,
                                         std::span<const std::int64_t> to);

// The transpose: dimension i of the result is dimension permutation[i] of
// `shape`.
IndexTable TransposeTable(std::span<const std::int64_t> shape,
                          std::span<const std::int64_t> permutation);

// From [outer][size][inner] to [outer][positions.size()][inner], taking the
// given positions, each of 0 .. size - 1.
struct Selection {
  std::size_t outer = 1;
  std::size_t size = 1;
  std::size_t inner = 1;
  std::span<const std::int64_t> positions;
};
IndexTable SelectionTable(const Selection& selection);

// The elements start, start + step, ... of each dimension: `count` of them.
// `step` may be negative.
struct AxisRange {
  std::int64_t size = 1;
  std::int64_t start = 0;
  std::int64_t step = 1;
  std::int64_t count = 1;
};
IndexTable RangeTable(std::span<const AxisRange> ranges);

// Whether the result is the source, of `source_elements` elements, unchanged.
bool IsIdentity(const IndexTable& table, std::size_t source_elements);

}  // namespace relu

#endif  // CORE_PLAN_INDEX_TABLE_H_
