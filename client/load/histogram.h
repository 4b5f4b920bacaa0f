// Histogram: how often each duration was measured, at a fixed relative
// precision over the whole range, as HdrHistogram keeps it.

#ifndef CLIENT_LOAD_HISTOGRAM_H_
#define CLIENT_LOAD_HISTOGRAM_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace relu::load {

// Log-linear: each power of two is cut into kBucketsPerOctave equal buckets. So
// a duration is known within 1 / kBucketsPerOctave of itself (0.1 %), and to
// the nanosecond below 2 * kBucketsPerOctave ns. Thread-compatible.
class Histogram {
 public:
  static constexpr std::uint64_t kBucketsPerOctave = 1024;
  // Longer durations count as this one.
  static constexpr std::chrono::nanoseconds kMax = std::chrono::hours(2);

  struct Bucket {
    std::chrono::nanoseconds lowest{0};   // The shortest duration in it,
    std::chrono::nanoseconds highest{0};  // and the longest.
    std::uint64_t count = 0;
  };

  // Durations below 0 count as 0.
  void Record(std::chrono::nanoseconds duration);
  void Add(const Histogram& other);
  void Clear();

  std::uint64_t count() const { return count_; }
  // These are exact; 0 if nothing was recorded.
  std::chrono::nanoseconds min() const;
  std::chrono::nanoseconds max() const { return max_; }
  std::chrono::duration<double, std::nano> mean() const;

  // The smallest duration that at least `percent` (0 to 100) of all recorded
  // ones do not exceed, rounded up within its bucket; 0 if there are none.
  std::chrono::nanoseconds Percentile(double percent) const;

  // Those that hold something, shortest first.
  std::vector<Bucket> Buckets() const;

 private:
  std::vector<std::uint64_t> counts_;  // By bucket, as far as there are any.
  std::size_t first_ = SIZE_MAX;       // Of the buckets in use; with counts_'
  std::uint64_t count_ = 0;            // size, all that Add() has to look at.
  double sum_ns_ = 0;
  std::chrono::nanoseconds min_ = std::chrono::nanoseconds::max();
  std::chrono::nanoseconds max_{0};
};

}  // namespace relu::load

#endif  // CLIENT_LOAD_HISTOGRAM_H_
