// PlaceBuffers: where the buffers of a plan lie in a workspace's memory.

#ifndef CORE_PLAN_ARENA_H_
#define CORE_PLAN_ARENA_H_

#include <cstddef>
#include <span>

#include "core/plan/step.h"

namespace relu {

// The first and last step that touch a buffer, as positions in the plan.
struct Lifetime {
  std::size_t first_step = 0;
  std::size_t last_step = 0;
};

// Sets offset_bytes of each buffer (first fit, in order of first use), so that
// buffers with overlapping lifetimes do not overlap. Returns the bytes that all
// take together. `lifetimes` belong to `buffers`, one by one.
std::size_t PlaceBuffers(std::span<const Lifetime> lifetimes,
                         std::span<BufferLayout> buffers);

}  // namespace relu

#endif  // CORE_PLAN_ARENA_H_
