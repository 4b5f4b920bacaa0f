// ShardedCounters: counters that many threads add to at the same time.

#ifndef CORE_METRICS_SHARDED_COUNTERS_H_
#define CORE_METRICS_SHARDED_COUNTERS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace relu {

// Every counter stands in several shards; a thread adds to that of the CPU it
// runs on, so that an addition rarely meets another CPU's, and a reader sums
// over the shards. Thread-safe.
class ShardedCounters {
 public:
  // A number of counters, all 0, in a number of shards; both 1 or more.
  ShardedCounters(std::size_t counters, std::size_t shards);

  ShardedCounters(const ShardedCounters&) = delete;
  ShardedCounters& operator=(const ShardedCounters&) = delete;

  // One shard, to add to.
  class Shard {
   public:
    // Counts are only looked at: nothing is published through them, so relaxed
    // order is enough.
    void Add(std::size_t counter, std::uint64_t value) {
      At(counter).fetch_add(value, std::memory_order_relaxed);
    }
    // For counters of which Max() is read.
    void Store(std::size_t counter, std::uint64_t value) {
      At(counter).store(value, std::memory_order_relaxed);
    }

   private:
    friend class ShardedCounters;
    struct alignas(64) Line {
      std::array<std::atomic<std::uint64_t>, 8> counters = {};
    };

    explicit Shard(Line* lines) : lines_(lines) {}
    std::atomic<std::uint64_t>& At(std::size_t counter) {
      return lines_[counter / 8].counters[counter % 8];
    }

    Line* lines_;  // Of the ShardedCounters.
  };

  // The shard of this CPU. Valid as long as this object; a thread that has
  // moved to another CPU may still add to it.
  Shard Local();

  // The sum over the shards. Values that were added below 0 come out right,
  // since all arithmetic is modulo 2^64.
  std::uint64_t Sum(std::size_t counter) const;

  std::uint64_t Max(std::size_t counter) const;

 private:
  const std::size_t lines_per_shard_;
  const std::size_t shards_;
  std::vector<Shard::Line> lines_;
};

}  // namespace relu

#endif  // CORE_METRICS_SHARDED_COUNTERS_H_
