// How fast Dense() is on every instruction set of this CPU, beside the fastest
// that the CPU can multiply and add: a loop of the same instruction on
// registers. Absolute numbers of a shared machine move by tens of percent, so
// compare `of_peak`: the share of that peak, measured just before.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "benchmark/benchmark.h"

#include "core/base/aligned_buffer.h"
#include "core/kernels/kernels.h"
#include "core/kernels/targets.h"
// After targets.h.
#include "hwy/highway.h"

#include "tests/benchmark/roofline.h"

namespace relu::kernels {
namespace {

using benchmarks::MultiplyAdd;

// Operations per second, the best of ten slices of about a millisecond.
double MeasurePeak() {
  using Clock = std::chrono::steady_clock;
  double best = 0.0;
  for (int slice = 0; slice < 10; ++slice) {
    const Clock::time_point start = Clock::now();
    const double operations = MultiplyAdd(/*steps=*/500'000);
    const std::chrono::duration<double> seconds = Clock::now() - start;
    best = std::max(best, operations / seconds.count());
  }
  return best;
}

void FillBuffer(AlignedBuffer& buffer, float scale) {
  std::uint32_t state = 1;
  for (float& value : buffer.As<float>()) {
    state = state * 1664525U + 1013904223U;
    value = scale * static_cast<float>(static_cast<int>(state >> 16U) - 32768);
  }
}

// Arguments: inputs, outputs, rows.
void MeasureDense(benchmark::State& state, std::int64_t target) {
  hwy::SetSupportedTargetsForTest(target);
  const auto k = static_cast<std::size_t>(state.range(0));
  const auto n = static_cast<std::size_t>(state.range(1));
  const auto m = static_cast<std::size_t>(state.range(2));
  // Rows a power of two apart would share the sets of the caches.
  const std::size_t input_stride = k + kPanelColumns;
  const std::size_t output_stride = n + kPanelColumns;
  AlignedBuffer weights(PackedWeightsSize(k, n) * sizeof(float));
  AlignedBuffer bias(PackedBiasSize(n) * sizeof(float));
  AlignedBuffer input(m * input_stride * sizeof(float));
  AlignedBuffer output(m * output_stride * sizeof(float));
  FillBuffer(weights, 0x1p-16F);
  FillBuffer(input, 0x1p-16F);
  const PackedDense layer = {.k = k,
                             .n = n,
                             .layout = LayoutOf(k, n),
                             .weights = weights.As<float>().data(),
                             .bias = bias.As<float>().data(),
                             .activation = Activation::kRelu};
  const DenseRows rows = {m, input.As<float>().data(), input_stride,
                          output.As<float>().data(), output_stride};
  const double peak = MeasurePeak();
  for (auto _ : state) {
    Dense(layer, rows);
    benchmark::ClobberMemory();
  }
  const double operations = 2.0 * static_cast<double>(m * k * n) *
                            static_cast<double>(state.iterations());
  using benchmark::Counter;
  state.counters["FLOPS"] = Counter(operations, Counter::kIsRate);
  state.counters["of_peak"] = Counter(operations / peak, Counter::kIsRate);
}

void MeasureMultiplyAdd(benchmark::State& state, std::int64_t target) {
  hwy::SetSupportedTargetsForTest(target);
  double operations = 0.0;
  for (auto _ : state) {
    operations += MultiplyAdd(/*steps=*/100'000);
  }
  state.counters["FLOPS"] =
      benchmark::Counter(operations, benchmark::Counter::kIsRate);
}

// Every benchmark for every instruction set that this CPU has.
void RegisterAll() {
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    const std::string name = hwy::TargetName(target);
    benchmark::RegisterBenchmark(("MultiplyAdd/" + name).c_str(),
                                 MeasureMultiplyAdd, target);
    benchmark::RegisterBenchmark(("Dense/" + name).c_str(), MeasureDense,
                                 target)
        ->ArgNames({"k", "n", "m"})
        ->ArgsProduct({{784}, {512}, {1, 4, 16, 64, 256}})
        ->ArgsProduct({{512}, {512}, {1, 4, 16, 64, 256}})
        ->ArgsProduct({{1024}, {1024}, {1, 4, 16, 64, 256}});
  }
}

}  // namespace
}  // namespace relu::kernels

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  relu::kernels::RegisterAll();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
