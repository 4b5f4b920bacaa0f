#include "core/metrics/sharded_counters.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace relu {
namespace {

constexpr std::size_t kCountersPerLine = 8;

}  // namespace

ShardedCounters::ShardedCounters(std::size_t counters, std::size_t shards)
    : lines_per_shard_((counters + kCountersPerLine - 1) / kCountersPerLine),
      shards_(shards),
      lines_(lines_per_shard_ * shards) {}

ShardedCounters::Shard ShardedCounters::Local() {
  // A few instructions: the kernel keeps the number in memory of the thread.
  const int cpu = std::max(0, sched_getcpu());
  return Shard(
      &lines_[static_cast<std::size_t>(cpu) % shards_ * lines_per_shard_]);
}

std::uint64_t ShardedCounters::Sum(std::size_t counter) const {
  std::uint64_t sum = 0;
  for (std::size_t shard = 0; shard < shards_; ++shard) {
    sum += lines_[shard * lines_per_shard_ + counter / kCountersPerLine]
               .counters[counter % kCountersPerLine]
               .load(std::memory_order_relaxed);
  }
  return sum;
}

std::uint64_t ShardedCounters::Max(std::size_t counter) const {
  std::uint64_t max = 0;
  for (std::size_t shard = 0; shard < shards_; ++shard) {
    max = std::max(max,
                   lines_[shard * lines_per_shard_ + counter / kCountersPerLine]
                       .counters[counter % kCountersPerLine]
                       .load(std::memory_order_relaxed));
  }
  return max;
}

}  // namespace relu
