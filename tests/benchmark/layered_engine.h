// LayeredEngine: a network run layer by layer, for libraries that know layers
// and no networks.

#ifndef TESTS_BENCHMARK_LAYERED_ENGINE_H_
#define TESTS_BENCHMARK_LAYERED_ENGINE_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "core/base/aligned_buffer.h"
#include "tests/benchmark/engine.h"

namespace relu::benchmarks {

// One layer of a peer: weights in the library's own layout, ReLU included.
class LayerRunner {
 public:
  LayerRunner() = default;
  LayerRunner(const LayerRunner&) = delete;
  LayerRunner& operator=(const LayerRunner&) = delete;
  virtual ~LayerRunner() = default;

  // From row-major rows to row-major rows, as many as it was made for.
  virtual void Run(const float* input, float* output) = 0;
};

// `layer` outlives the runner.
using MakeLayerRunner = std::function<std::unique_ptr<LayerRunner>(
    const Layer& layer, std::size_t rows)>;

class LayeredEngine : public Engine {
 public:
  LayeredEngine(std::string name, std::string version, MakeLayerRunner make)
      : name_(std::move(name)),
        version_(std::move(version)),
        make_(std::move(make)) {}

  std::string name() const override { return name_; }
  std::string version() const override { return version_; }
  // UNIMPLEMENTED if the network is more than layers.
  absl::Status Prepare(const Network& network, const Batches& batches) override;
  void Run(std::size_t batch) override;
  std::vector<double> Answers() const override;

 private:
  std::string name_;
  std::string version_;
  MakeLayerRunner make_;
  const float* input_ = nullptr;  // Of the batches of the last Prepare().
  std::size_t batch_size_ = 0;    // Elements of one batch of rows.
  std::size_t output_size_ = 0;   // Elements of one batch of answers.
  std::vector<std::unique_ptr<LayerRunner>> runners_;
  // One layer writes to one of them, the next to the other.
  AlignedBuffer results_[2];
};

}  // namespace relu::benchmarks

#endif  // TESTS_BENCHMARK_LAYERED_ENGINE_H_
