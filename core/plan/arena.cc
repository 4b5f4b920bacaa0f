#include "core/plan/arena.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

#include "core/plan/step.h"

namespace relu {

std::size_t PlaceBuffers(std::span<const Lifetime> lifetimes,
                         std::span<BufferLayout> buffers) {
  std::vector<std::size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t buffer) {
    return lifetimes[buffer].first_step;
  });
  std::size_t total_bytes = 0;
  std::vector<std::size_t> live;  // Buffers in use, by ascending offset.
  for (const std::size_t buffer : order) {
    std::erase_if(live, [&](std::size_t other) {
      return lifetimes[other].last_step < lifetimes[buffer].first_step;
    });
    BufferLayout& layout = buffers[buffer];
    layout.offset_bytes = 0;
    auto position = live.begin();
    for (; position != live.end(); ++position) {
      const BufferLayout& other = buffers[*position];
      if (layout.offset_bytes + layout.row_stride_bytes <= other.offset_bytes) {
        break;
      }
      layout.offset_bytes = other.offset_bytes + other.row_stride_bytes;
    }
    live.insert(position, buffer);
    total_bytes =
        std::max(total_bytes, layout.offset_bytes + layout.row_stride_bytes);
  }
  return total_bytes;
}

}  // namespace relu
