// XNNPACK: fully connected operators with ReLU as the range of their output.

#include <pthreadpool.h>
#include <xnnpack.h>

#include <cstddef>
#include <limits>
#include <memory>

#include "core/base/check.h"
#include "tests/benchmark/layered_engine.h"
#include "tests/benchmark/peers.h"

namespace relu::benchmarks {
namespace {

using ThreadPool = std::shared_ptr<pthreadpool>;

class XnnpackLayer : public LayerRunner {
 public:
  XnnpackLayer(const Layer& layer, std::size_t rows, ThreadPool threads)
      : rows_(rows), threads_(std::move(threads)) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    CHECK(xnn_create_fully_connected_nc_f32(
              layer.k, layer.n, layer.k, layer.n, layer.weights.data(),
              layer.bias.data(), layer.relu ? 0.0F : -kInfinity, kInfinity,
              XNN_FLAG_TRANSPOSE_WEIGHTS, &operator_) == xnn_status_success);
  }
  ~XnnpackLayer() override { xnn_delete_operator(operator_); }

  void Run(const float* input, float* output) override {
    // What it sets up holds for these pointers only.
    if (input != input_ || output != output_) {
      input_ = input;
      output_ = output;
      xnn_setup_fully_connected_nc_f32(operator_, rows_, input, output,
                                       threads_.get());
    }
    xnn_run_operator(operator_, threads_.get());
  }

 private:
  std::size_t rows_;
  ThreadPool threads_;
  xnn_operator_t operator_ = nullptr;
  const float* input_ = nullptr;
  float* output_ = nullptr;
};

}  // namespace

std::unique_ptr<Engine> MakeXnnpackEngine(int threads) {
  CHECK(xnn_initialize(/*allocator=*/nullptr) == xnn_status_success);
  ThreadPool pool;  // One thread needs none.
  if (threads > 1) {
    pool = ThreadPool(pthreadpool_create(static_cast<std::size_t>(threads)),
                      pthreadpool_destroy);
  }
  return std::make_unique<LayeredEngine>(
      "XNNPACK", "version not in its headers",
      [pool](const Layer& layer, std::size_t rows) {
        return std::make_unique<XnnpackLayer>(layer, rows, pool);
      });
}

}  // namespace relu::benchmarks
