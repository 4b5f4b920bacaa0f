#include "core/batching/batch_cost.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace relu {
namespace {

using Seconds = std::chrono::duration<double>;

// The weight of a new value in the running average.
constexpr double kWeight = 1.0 / 8;
// What a value counts at most, in terms of what was expected before it. A model
// that really became slower is followed within a few batches.
constexpr double kMostGrowth = 4;
// A smaller batch must be this much cheaper a row: answers of a larger one go
// out together, which counts too and is not measured here.
constexpr double kClearly = 0.8;
// How much cheaper a size seems with each decision against it; a larger size
// than the chosen one by as much less as it has more rows, so that trying it
// again takes no larger part of the time: a size five times as expensive is
// tried once in some 6000 batches of as many rows.
constexpr double kFading = 1.0 / 4096;
// After so many decisions the old average says nothing: the next value counts
// alone.
constexpr int kForgotten = 256;

std::size_t BucketOf(std::int64_t rows) {
  return static_cast<std::size_t>(
             std::bit_width(static_cast<std::uint64_t>(rows))) -
         1;
}

}  // namespace

BatchCost::BatchCost(std::int64_t max_batch_rows)
    : max_batch_rows_(max_batch_rows) {}

void BatchCost::Note(std::int64_t rows, Duration duration) {
  const std::size_t index = BucketOf(rows);
  // Never zero, which would mean unknown.
  double counted =
      std::max(Seconds(duration).count(), 1e-9) / static_cast<double>(rows);
  if (const Bucket* expected = Nearest(index)) {
    counted = std::min(counted, kMostGrowth * expected->seconds_per_row);
  }
  Bucket& bucket = buckets_[index];
  if (bucket.seconds_per_row == 0 || bucket.unused > kForgotten) {
    bucket.seconds_per_row = counted;
  } else {
    bucket.seconds_per_row += kWeight * (counted - bucket.seconds_per_row);
  }
  bucket.unused = 0;
}

BatchCost::Duration BatchCost::Of(std::int64_t rows) const {
  double seconds = 0;
  const std::int64_t full = rows / max_batch_rows_;
  const std::int64_t rest = rows % max_batch_rows_;
  if (full > 0) {
    if (const Bucket* bucket = Nearest(BucketOf(max_batch_rows_))) {
      seconds +=
          bucket->seconds_per_row * static_cast<double>(full * max_batch_rows_);
    }
  }
  if (rest > 0) {
    if (const Bucket* bucket = Nearest(BucketOf(rest))) {
      seconds += bucket->seconds_per_row * static_cast<double>(rest);
    }
  }
  return std::chrono::duration_cast<Duration>(Seconds(seconds));
}

std::int64_t BatchCost::BestRows(std::int64_t rows) {
  const std::size_t all = BucketOf(rows);
  if (buckets_[all].seconds_per_row == 0) {
    return rows;
  }
  std::int64_t best = rows;
  std::size_t best_bucket = all;
  double best_seconds = kClearly * buckets_[all].seconds_per_row;
  for (std::size_t i = all; i-- > 0;) {
    const double seconds = buckets_[i].seconds_per_row;
    if (seconds > 0 && seconds < best_seconds) {
      best = std::int64_t{1} << i;
      best_bucket = i;
      best_seconds = seconds;
    }
  }
  // That of all rows, too: else what it took while the thread had no CPU would
  // keep it from ever being measured again.
  for (std::size_t i = 0; i <= all; ++i) {
    if (i != best_bucket) {
      const double share =
          i < best_bucket ? 1.0
                          : 1.0 / static_cast<double>(std::uint64_t{1}
                                                      << (i - best_bucket));
      buckets_[i].seconds_per_row *= 1 - kFading * share;
      buckets_[i].unused = std::min(buckets_[i].unused + 1, kForgotten + 1);
    }
  }
  return best;
}

const BatchCost::Bucket* BatchCost::Nearest(std::size_t bucket) const {
  for (std::size_t i = bucket + 1; i-- > 0;) {
    if (buckets_[i].seconds_per_row > 0) {
      return &buckets_[i];
    }
  }
  for (std::size_t i = bucket + 1; i < kBuckets; ++i) {
    if (buckets_[i].seconds_per_row > 0) {
      return &buckets_[i];
    }
  }
  return nullptr;
}

}  // namespace relu
