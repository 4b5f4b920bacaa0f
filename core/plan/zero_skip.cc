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
constexpr auto& kEighths = DenseCosts::kEighths;
// Skipping must win by this much to be chosen: what was measured is not exact,
// and with rows now to one side of the limit and now to the other, both copies
// of the weights compete for the caches.
constexpr double kMargin = 0.9;
// Counting must not take more than this part of the time without it: it may be
// in vain.
constexpr double kMostForCounting = 0.05;

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
    for (std::size_t row = 0; row < kSparseRows; ++row) {
      indices_[row].resize(k + kernels::kSparseRowPadding);
      values_[row].resize(k + kernels::kSparseRowPadding);
    }
    std::minstd_rand random(1);
    dense_.assign(kRows.back() * k, 0.5F);
    for (std::size_t i = 0; i < kEighths.size(); ++i) {
      for (std::vector<float>& row : sparse_[i]) {
        row = SparseInput(k, kEighths[i], random);
      }
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

  // The next of the rows in which kEighths[i] of the inputs are not zero. All
  // that skipping takes.
  void RunSparse(const PackedDense& layer, std::size_t i) {
    next_ = (next_ + 1) % kSparseRows;
    kernels::DenseSparse(layer, List(layer, i, next_), sums_.As<float>().data(),
                         outputs_.data());
  }

  // All these rows together.
  void RunSparseRows(const PackedDense& layer, std::size_t i) {
    std::array<kernels::SparseRow, kSparseRows> rows;
    for (std::size_t row = 0; row < kSparseRows; ++row) {
      rows[row] = List(layer, i, row);
    }
    kernels::DenseSparseRows(layer, rows, outputs_.data(), layer.n);
  }

  // Several, so that not the same few weights stay in the caches.
  static constexpr std::size_t kSparseRows = 8;

 private:
  kernels::SparseRow List(const PackedDense& layer, std::size_t i,
                          std::size_t row) {
    const float* const input = sparse_[i][row].data();
    // Counted first, as a step does.
    return kernels::CountNonZeros(layer.k, input) <= layer.k
               ? kernels::ListNonZeros(layer.k, input, indices_[row].data(),
                                       values_[row].data())
               : kernels::SparseRow();
  }

  // Just so many: of several rows, the least time counts.
  static std::vector<float> SparseInput(std::size_t k, std::size_t eighths,
                                        std::minstd_rand& random) {
    std::vector<float> input(k);
    std::fill_n(input.begin(), k * eighths / 8, 0.5F);
    std::ranges::shuffle(input, random);
    return input;
  }

  std::vector<float> dense_;
  std::array<std::array<std::vector<float>, kSparseRows>, kEighths.size()>
      sparse_;
  std::size_t next_ = 0;
  std::vector<float> outputs_;
  AlignedBuffer sums_;
  std::array<std::vector<std::uint32_t>, kSparseRows> indices_;
  std::array<std::vector<float>, kSparseRows> values_;
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

// Calls `function(i)` for each layer, in order, `times` >= 2 times: from the
// second on, the caches hold what is left of the one before.
template <typename Function>
void InOrder(std::size_t layers, std::size_t times, const Function& function) {
  for (std::size_t i = 0; i < times * layers; ++i) {
    function(i % layers);
  }
}

// How often for one row, which waits for its weights most. Caches let go of
// weights that were used more often, those of the other way, only after some
// runs: 512 -> 256 took 4.4 to 5.0 us in most first and second runs, and 2.8 in
// the sixth as in use (B of the benchmarks, Zen 5, which skipped 20 % zeros
// therefore: 1.2 to 1.4 times the time).
std::size_t TimesOfOneRow(std::span<const PackedDense> layers) {
  constexpr std::size_t kMost = 6;
  constexpr std::size_t kFewest = 2;
  // What all runs together read.
  constexpr std::size_t kWeights = std::size_t{4} << 20;
  std::size_t weights = 1;
  for (const PackedDense& layer : layers) {
    weights += layer.k * layer.n;
  }
  return std::clamp(kWeights / weights, kFewest, kMost);
}

bool HasRowWeights(const PackedDense& layer) {
  return layer.row_weights != nullptr || layer.half_row_weights != nullptr;
}

void TimeDense(std::span<const PackedDense> layers, std::size_t size,
               Operands& operands, std::vector<DenseCosts>& costs) {
  InOrder(layers.size(), size == 0 ? TimesOfOneRow(layers) : 2,
          [&](std::size_t i) {
            Time(layers[i], kRows[size], costs[i].dense[size],
                 [&] { operands.RunDense(layers[i], kRows[size]); });
          });
}

void TimeSparse(std::span<const PackedDense> layers, std::size_t part,
                Operands& operands, std::vector<DenseCosts>& costs) {
  InOrder(layers.size(), TimesOfOneRow(layers), [&](std::size_t i) {
    if (HasRowWeights(layers[i])) {
      Time(layers[i], 1, costs[i].sparse_alone[part],
           [&] { operands.RunSparse(layers[i], part); });
    }
  });
}

void TimeSparseRows(std::span<const PackedDense> layers, std::size_t part,
                    Operands& operands, std::vector<DenseCosts>& costs) {
  InOrder(layers.size(), 2, [&](std::size_t i) {
    if (HasRowWeights(layers[i])) {
      double all = costs[i].sparse_of_several[part] * Operands::kSparseRows;
      Time(layers[i], Operands::kSparseRows, all,
           [&] { operands.RunSparseRows(layers[i], part); });
      costs[i].sparse_of_several[part] = all / Operands::kSparseRows;
    }
  });
}

void TimeAll(std::span<const PackedDense> layers, Operands& operands,
             std::vector<DenseCosts>& costs) {
  for (std::size_t size = 1; size < kRows.size(); ++size) {
    TimeDense(layers, size, operands, costs);
  }
  // The most first: they bring most weights into the caches, where the others
  // find them, as they will. In the other order, a row with 32 of 256 inputs
  // took 1.2 to 1.6 us, in this one 0.6 to 0.7 (17 such layers, Zen 3).
  for (std::size_t part = kEighths.size(); part-- > 0;) {
    TimeSparseRows(layers, part, operands, costs);
  }
  // In turn, so that what disturbs one way disturbs the other, too.
  constexpr int kRounds = 3;
  for (int round = 0; round < kRounds; ++round) {
    TimeDense(layers, 0, operands, costs);
    for (std::size_t part = kEighths.size(); part-- > 0;) {
      TimeSparse(layers, part, operands, costs);
    }
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    // Much less work than a layer: time as many as for one of one output.
    const PackedDense one{.k = layers[i].k, .n = 1};
    std::size_t sum = 0;
    Time(one, 1, costs[i].count_row, [&] { sum += operands.Count(layers[i]); });
    CHECK(sum >= layers[i].k);  // Uses it, lest it be left out.
  }
}

// What an entry more costs from kEighths[i] of `k` inputs to the next. At least
// half of what entries cost there with all that a row costs: noise must not
// make them free.
double EntryCost(const DenseCosts::Sparse& costs, double k, std::size_t i) {
  const double fewer = k * static_cast<double>(kEighths[i]) / 8;
  const double more = k * static_cast<double>(kEighths[i + 1]) / 8;
  return std::max((costs[i + 1] - costs[i]) / (more - fewer),
                  costs[i + 1] / more / 2);
}

// How many of `k` inputs may not be zero, that skipping the others in one row
// takes no more than `time`: by lines through what was measured. Below 0: none.
double EntriesWithin(double time, const DenseCosts::Sparse& costs, double k) {
  const std::size_t part = time < costs[1] ? 0 : 1;
  const double middle = k * static_cast<double>(kEighths[1]) / 8;
  return middle + (time - costs[1]) / EntryCost(costs, k, part);
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

double SparseCost(const DenseCosts& costs, std::size_t k, std::size_t entries) {
  const auto inputs = static_cast<double>(k);
  const double more = static_cast<double>(entries) -
                      inputs * static_cast<double>(kEighths[1]) / 8;
  const double cost =
      costs.sparse_alone[1] +
      more * EntryCost(costs.sparse_alone, inputs, /*i=*/more < 0.0 ? 0 : 1);
  return std::max(cost, costs.count_row);
}

ZeroSkipLimits ZeroSkipLimits::Never() { return {}; }

ZeroSkipLimits ZeroSkipLimits::Always() {
  ZeroSkipLimits limits;
  limits.max_entries_.fill(std::numeric_limits<std::uint32_t>::max());
  return limits;
}

ZeroSkipLimits ZeroSkipLimits::FromCosts(const DenseCosts& costs,
                                         std::size_t k) {
  ZeroSkipLimits limits;
  if (k == 0 || costs.sparse_alone[1] == DenseCosts::kNever) {
    return limits;
  }
  // Compared with few entries: it is these that are worth it in batches.
  limits.one_by_one_ = costs.sparse_alone[0] <= costs.sparse_of_several[0];
  const auto inputs = static_cast<double>(k);
  for (std::size_t rows = 1; rows <= kMostRows; ++rows) {
    const auto all_rows = static_cast<double>(rows);
    const double dense = DenseCost(costs, rows);
    const double entries =
        EntriesWithin(kMargin * dense / all_rows,
                      rows == 1 || limits.one_by_one_ ? costs.sparse_alone
                                                      : costs.sparse_of_several,
                      inputs);
    // Where fewer than one input in 20 may be left, that will never be.
    if (entries >= inputs / 20 &&
        all_rows * costs.count_row <= kMostForCounting * dense) {
      limits.max_entries_[rows] =
          static_cast<std::size_t>(std::min(entries, inputs) * all_rows);
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
  constexpr std::size_t kMostPasses = 3;
  constexpr std::chrono::milliseconds kBudget{5};
  if (layers.empty()) {
    return {};
  }
  std::vector<DenseCosts> costs(layers.size());
  for (DenseCosts& cost : costs) {
    cost.dense.fill(std::numeric_limits<double>::infinity());
    cost.count_row = std::numeric_limits<double>::infinity();
  }
  Operands operands(layers);
  const Clock::time_point start = Clock::now();
  for (std::size_t pass = 0;
       pass < kFewestPasses ||
       (pass < kMostPasses && Clock::now() - start < kBudget);
       ++pass) {
    TimeAll(layers, operands, costs);
  }
  return costs;
}

}  // namespace relu
