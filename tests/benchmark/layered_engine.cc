#include "tests/benchmark/layered_engine.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/status/status.h"

namespace relu::benchmarks {
namespace {

// XNNPACK may read a little past the end of what it is given.
constexpr std::size_t kReadableBytes = 64;

}  // namespace

absl::Status LayeredEngine::Prepare(const Network& network,
                                    const Batches& batches) {
  runners_.clear();
  if (network.layers.empty()) {
    return absl::UnimplementedError("more than dense layers with ReLU");
  }
  std::size_t widest = 0;
  for (const Layer& layer : network.layers) {
    widest = std::max(widest, layer.n);
    runners_.push_back(make_(layer, batches.rows));
  }
  for (AlignedBuffer& results : results_) {
    results =
        AlignedBuffer(batches.rows * widest * sizeof(float) + kReadableBytes);
  }
  input_ = batches.inputs[0].As<float>().data();
  batch_size_ = batches.rows * network.layers.front().k;
  output_size_ = batches.rows * network.layers.back().n;
  return absl::OkStatus();
}

void LayeredEngine::Run(std::size_t batch) {
  const float* input = input_ + batch * batch_size_;
  for (std::size_t i = 0; i < runners_.size(); ++i) {
    float* const output = results_[i % 2].As<float>().data();
    runners_[i]->Run(input, output);
    input = output;
  }
}

std::vector<double> LayeredEngine::Answers() const {
  const auto answers = results_[(runners_.size() - 1) % 2].As<float>();
  return {answers.begin(),
          answers.begin() + static_cast<std::ptrdiff_t>(output_size_)};
}

}  // namespace relu::benchmarks
