#include "core/plan/zero_skip.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <vector>

#include "core/base/aligned_buffer.h"
#include "core/base/check.h"
#include "core/kernels/kernels.h"

namespace relu {
namespace {

using Clock = std::chrono::steady_clock;
using kernels::PackedDense;

constexpr std::array<std::size_t, DenseCosts::kSizes> kRows = {1, 2, 4, 8, 16};
// Where the cost of an entry is measured: one input in so many is not zero.
constexpr std::size_t kFew = 8;
constexpr std::size_t kMany = 2;
// Skipping must win by this much to be chosen: what was measured is not exact.
constexpr double kMargin = 0.93;
// Counting must not take more than this part of the time without it: it may be
// in vain.
constexpr double kMostForCounting = 0.03;

// Inputs and outputs for the largest of the layers.
class Operands {
 public:
  explicit Operands(std::span<const PackedDense> layers) {
    std::size_t k = 0;
    std::size_t n = 0;
    for (const PackedDense& layer : layers) {
      k = std::max(k, layer.k);
      n = std::max(n, layer.n);
    }
    sums_ = AlignedBuffer(kernels::PackedBiasSize(n) * sizeof(float));
    outputs_.resize(kRows.back() * n);
    indices_.resize(k + kernels::kSparseRowPadding);
    values_.resize(k + kernels::kSparseRowPadding);
    std::minstd_rand random(1);
    dense_.assign(kRows.back() * k, 0.5F);
    for (std::size_t row = 0; row < kSparseRows; ++row) {
      few_.push_back(SparseInput(k, kFew, random));
      many_.push_back(SparseInput(k, kMany, random));
    }
  }

  void RunDense(const PackedDense& layer, std::size_t rows) {
    kernels::Dense(layer, {.m = rows,
                           .input = dense_.data(),
                           .input_stride = layer.k,
                           .output = outputs_.data(),
                           .output_stride = layer.n});
  }

  // What is not zero in the inputs of a layer, if they are dense.
  std::size_t Count(const PackedDense& layer) {
    return kernels::CountNonZeros(layer.k, dense_.data());
  }

  // The next of the rows in which one in `period` inputs is not zero. All that
  // skipping takes.
  void RunSparse(const PackedDense& layer, std::size_t period) {
    next_ = (next_ + 1) % kSparseRows;
    const float* input = (period == kFew ? few_ : many_)[next_].data();
    if (kernels::CountNonZeros(layer.k, input) <= layer.k) {
      kernels::DenseSparse(layer,
                           kernels::ListNonZeros(
                               layer.k, input, indices_.data(), values_.data()),
                           sums_.As<float>().data(), outputs_.data());
    }
  }

 private:
  // Several, so that not the same few weights stay in the caches.
  static constexpr std::size_t kSparseRows = 8;

  static std::vector<float> SparseInput(std::size_t k, std::size_t period,
                                        std::minstd_rand& random) {
    std::vector<float> input(k);
    for (float& value : input) {
      // The low bits of this generator are poor.
      value = (random() >> 8U) % period == 0 ? 0.5F : 0.0F;
    }
    return input;
  }

  std::vector<float> dense_;
  std::vector<std::vector<float>> few_;
  std::vector<std::vector<float>> many_;
  std::size_t next_ = 0;
  std::vector<float> outputs_;
  AlignedBuffer sums_;
  std::vector<std::uint32_t> indices_;
  std::vector<float> values_;
};

// Runs `function` as often as `layer` needs to be measured by a clock that
// takes as long as a small layer; keeps the least time of one run in `best`.
template <typename Function>
void Time(const PackedDense& layer, std::size_t rows, double& best,
          const Function& function) {
  constexpr std::size_t kEnough = 200'000;  // Multiply-adds: some microseconds.
  constexpr std::size_t kMost = 200;
  const std::size_t work = std::max<std::size_t>(layer.k * layer.n * rows, 1);
  const std::size_t times = std::clamp<std::size_t>(kEnough / work, 1, kMost);
  const Clock::time_point start = Clock::now();
  for (std::size_t i = 0; i < times; ++i) {
    function();
  }
  const std::chrono::duration<double, std::nano> elapsed = Clock::now() - start;
  best = std::min(best, elapsed.count() / static_cast<double>(times));
}

struct LayerTimes {
  DenseCosts costs;
  double few = std::numeric_limits<double>::infinity();
  double many = std::numeric_limits<double>::infinity();
};

// Calls `function(i)` for each layer, in order, twice: the second time, the
// caches hold what is left of the first.
template <typename Function>
void Twice(std::size_t layers, const Function& function) {
  for (std::size_t i = 0; i < 2 * layers; ++i) {
    function(i % layers);
  }
}

bool HasRowWeights(const PackedDense& layer) {
  return layer.row_weights != nullptr || layer.half_row_weights != nullptr;
}

void TimeAll(std::span<const PackedDense> layers, Operands& operands,
             std::vector<LayerTimes>& times) {
  for (std::size_t size = 0; size < kRows.size(); ++size) {
    Twice(layers.size(), [&](std::size_t i) {
      Time(layers[i], kRows[size], times[i].costs.dense[size],
           [&] { operands.RunDense(layers[i], kRows[size]); });
    });
  }
  Twice(layers.size(), [&](std::size_t i) {
    if (HasRowWeights(layers[i])) {
      Time(layers[i], 1, times[i].few,
           [&] { operands.RunSparse(layers[i], kFew); });
    }
  });
  Twice(layers.size(), [&](std::size_t i) {
    if (HasRowWeights(layers[i])) {
      Time(layers[i], 1, times[i].many,
           [&] { operands.RunSparse(layers[i], kMany); });
    }
  });
  for (std::size_t i = 0; i < layers.size(); ++i) {
    // Much less work than a layer: time as many as for one of one output.
    const PackedDense one{.k = layers[i].k, .n = 1};
    std::size_t sum = 0;
    Time(one, 1, times[i].costs.count_row,
         [&] { sum += operands.Count(layers[i]); });
    CHECK(sum >= layers[i].k);  // Uses it, lest it be left out.
  }
}

// The cost of a row and of an entry, from the times for few and many entries.
void FitSparse(std::size_t k, LayerTimes& times) {
  const double few = static_cast<double>(k) / kFew;
  const double many = static_cast<double>(k) / kMany;
  // At least what many entries cost each if the row costs half of it: noise
  // must not make entries free.
  times.costs.sparse_entry =
      std::max((times.many - times.few) / (many - few), times.many / many / 2);
  times.costs.sparse_row =
      std::max(times.few - few * times.costs.sparse_entry, 0.0);
}

double DenseCost(const DenseCosts& costs, std::size_t rows) {
  const auto above = std::ranges::lower_bound(kRows, rows);
  const auto i = static_cast<std::size_t>(above - kRows.begin());
  if (*above == rows) {
    return costs.dense[i];
  }
  const double part = static_cast<double>(rows - kRows[i - 1]) /
                      static_cast<double>(kRows[i] - kRows[i - 1]);
  return costs.dense[i - 1] + part * (costs.dense[i] - costs.dense[i - 1]);
}

}  // namespace

ZeroSkipLimits ZeroSkipLimits::Never() { return {}; }

ZeroSkipLimits ZeroSkipLimits::Always() {
  ZeroSkipLimits limits;
  limits.max_entries_.fill(std::numeric_limits<std::uint32_t>::max());
  return limits;
}

ZeroSkipLimits ZeroSkipLimits::FromCosts(const DenseCosts& costs,
                                         std::size_t k) {
  ZeroSkipLimits limits;
  for (std::size_t rows = 1; rows <= kMostRows; ++rows) {
    const double all_rows = static_cast<double>(rows);
    const double dense = DenseCost(costs, rows);
    const double left = kMargin * dense - all_rows * costs.sparse_row;
    const double entries = left / costs.sparse_entry;
    // Where fewer than one input in 20 may be left, that will never be.
    if (entries >= all_rows * static_cast<double>(k) / 20 &&
        all_rows * costs.count_row <= kMostForCounting * dense) {
      limits.max_entries_[rows] =
          std::min(static_cast<std::size_t>(entries), rows * k);
    }
  }
  // Then it is the noise of a measurement that says so of more rows.
  return limits.MaxEntries(1) == 0 ? Never() : limits;
}

std::size_t ZeroSkipLimits::MaxEntries(std::size_t rows) const {
  return rows <= kMostRows ? max_entries_[rows]
                           : max_entries_[kMostRows] * rows / kMostRows;
}

std::vector<DenseCosts> MeasureDenseCosts(std::span<const PackedDense> layers) {
  constexpr std::size_t kFewestPasses = 2;
  constexpr std::size_t kMostPasses = 5;
  constexpr std::chrono::milliseconds kBudget{5};
  if (layers.empty()) {
    return {};
  }
  std::vector<LayerTimes> times(layers.size());
  for (LayerTimes& time : times) {
    time.costs.dense.fill(std::numeric_limits<double>::infinity());
    time.costs.count_row = std::numeric_limits<double>::infinity();
  }
  Operands operands(layers);
  const Clock::time_point start = Clock::now();
  for (std::size_t pass = 0;
       pass < kFewestPasses ||
       (pass < kMostPasses && Clock::now() - start < kBudget);
       ++pass) {
    TimeAll(layers, operands, times);
  }
  std::vector<DenseCosts> costs;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (HasRowWeights(layers[i])) {
      FitSparse(layers[i].k, times[i]);
    }
    costs.push_back(times[i].costs);
  }
  return costs;
}

}  // namespace relu
