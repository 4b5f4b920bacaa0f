#include "client/load/histogram.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace relu::load {
namespace {

using std::chrono::nanoseconds;

constexpr std::uint64_t kPerOctave = Histogram::kBucketsPerOctave;
constexpr int kPrecisionBits = std::countr_zero(kPerOctave);

// Buckets of one width follow each other: 2 * kPerOctave of width 1, then
// kPerOctave of width 2, of width 4, ...
std::size_t IndexOf(std::uint64_t value) {
  const int shift =
      std::max(0, static_cast<int>(std::bit_width(value)) - kPrecisionBits - 1);
  return (static_cast<std::size_t>(shift) << kPrecisionBits) + (value >> shift);
}

std::uint64_t LowestOf(std::size_t index) {
  if (index < 2 * kPerOctave) {
    return index;
  }
  const std::size_t shift = index / kPerOctave - 1;
  return (index - shift * kPerOctave) << shift;
}

nanoseconds Nanoseconds(std::uint64_t value) {
  return nanoseconds(static_cast<std::int64_t>(value));
}

}  // namespace

void Histogram::Record(nanoseconds duration) {
  duration = std::clamp(duration, nanoseconds(0), kMax);
  const std::size_t index =
      IndexOf(static_cast<std::uint64_t>(duration.count()));
  if (index >= counts_.size()) {
    counts_.resize(index + 1, 0);
  }
  ++counts_[index];
  first_ = std::min(first_, index);
  ++count_;
  sum_ns_ += static_cast<double>(duration.count());
  min_ = std::min(min_, duration);
  max_ = std::max(max_, duration);
}

void Histogram::Add(const Histogram& other) {
  if (other.counts_.size() > counts_.size()) {
    counts_.resize(other.counts_.size(), 0);
  }
  for (std::size_t i = other.first_; i < other.counts_.size(); ++i) {
    counts_[i] += other.counts_[i];
  }
  first_ = std::min(first_, other.first_);
  count_ += other.count_;
  sum_ns_ += other.sum_ns_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

void Histogram::Clear() {
  counts_.clear();  // Keeps its memory.
  first_ = SIZE_MAX;
  count_ = 0;
  sum_ns_ = 0;
  min_ = nanoseconds::max();
  max_ = nanoseconds(0);
}

nanoseconds Histogram::min() const {
  return count_ == 0 ? nanoseconds(0) : min_;
}

std::chrono::duration<double, std::nano> Histogram::mean() const {
  return std::chrono::duration<double, std::nano>(
      count_ == 0 ? 0 : sum_ns_ / static_cast<double>(count_));
}

nanoseconds Histogram::Percentile(double percent) const {
  if (count_ == 0) {
    return nanoseconds(0);
  }
  // The slack keeps 99.9 % of 1000 at 999, as it is meant: 99.9 / 100 is not
  // exact.
  const double exact = percent / 100 * static_cast<double>(count_);
  const auto rank =
      std::clamp(static_cast<std::uint64_t>(std::ceil(exact - 1e-9 * exact)),
                 std::uint64_t{1}, count_);
  std::uint64_t seen = 0;
  for (std::size_t i = first_; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= rank) {
      return std::clamp(Nanoseconds(LowestOf(i + 1) - 1), min_, max_);
    }
  }
  return max_;
}

std::vector<Histogram::Bucket> Histogram::Buckets() const {
  std::vector<Bucket> buckets;
  for (std::size_t i = first_; i < counts_.size(); ++i) {
    if (counts_[i] > 0) {
      buckets.push_back({.lowest = Nanoseconds(LowestOf(i)),
                         .highest = Nanoseconds(LowestOf(i + 1) - 1),
                         .count = counts_[i]});
    }
  }
  return buckets;
}

}  // namespace relu::load
