// BatchCost: what batches of a model take, by their rows, as measured.

#ifndef CORE_BATCHING_BATCH_COST_H_
#define CORE_BATCHING_BATCH_COST_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace relu {

// Thread-compatible.
class BatchCost {
 public:
  using Duration = std::chrono::steady_clock::duration;

  // `max_batch_rows` >= 1.
  explicit BatchCost(std::int64_t max_batch_rows);

  // A batch of 1 <= rows <= max_batch_rows took `duration`. A single value that
  // is far off, as when the thread had lost its CPU, counts for little.
  void Note(std::int64_t rows, Duration duration);

  // What `rows` rows will take; as several batches if they are more than one
  // holds. Zero if nothing was measured yet.
  Duration Of(std::int64_t rows) const;

  // How many of `rows` waiting rows, of which a batch may hold all, to run as
  // the next batch: all of them, unless a smaller batch takes clearly less time
  // a row. (The engine skips zeros best in small batches.) A size that was not
  // tried for long seems cheaper with time, so that it is tried again.
  std::int64_t BestRows(std::int64_t rows);

 private:
  // What batches of 2^i to 2^(i+1) - 1 rows take for each row.
  struct Bucket {
    double seconds_per_row = 0;  // 0: unknown.
    int unused = 0;              // Decisions against it since it was measured.
  };
  // Rows are int64.
  static constexpr std::size_t kBuckets = 63;

  // The nearest that was measured, smaller ones first. Null if none was.
  const Bucket* Nearest(std::size_t bucket) const;

  const std::int64_t max_batch_rows_;
  std::array<Bucket, kBuckets> buckets_{};
};

}  // namespace relu

#endif  // CORE_BATCHING_BATCH_COST_H_
