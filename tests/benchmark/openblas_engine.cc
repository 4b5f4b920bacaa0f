// OpenBLAS: sgemv for one row, sgemm for more.

#include <cblas.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>

#include "tests/benchmark/layered_engine.h"
#include "tests/benchmark/peers.h"

namespace relu::benchmarks {
namespace {

class BlasLayer : public LayerRunner {
 public:
  BlasLayer(const Layer& layer, std::size_t rows)
      : layer_(layer), rows_(rows) {}

  void Run(const float* input, float* output) override {
    for (std::size_t row = 0; row < rows_; ++row) {
      std::ranges::copy(layer_.bias, output + row * layer_.n);
    }
    const auto k = static_cast<blasint>(layer_.k);
    const auto n = static_cast<blasint>(layer_.n);
    if (rows_ == 1) {
      // Faster than sgemv on transposed weights, measured on the networks here.
      cblas_sgemv(CblasRowMajor, CblasTrans, k, n, 1.0F, layer_.weights.data(),
                  n, input, 1, 1.0F, output, 1);
    } else {
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans,
                  static_cast<blasint>(rows_), n, k, 1.0F, input, k,
                  layer_.weights.data(), n, 1.0F, output, n);
    }
    if (layer_.relu) {
      std::transform(output, output + rows_ * layer_.n, output,
                     [](float value) { return std::max(value, 0.0F); });
    }
  }

 private:
  Layer layer_;
  std::size_t rows_;
};

}  // namespace

std::unique_ptr<Engine> MakeOpenBlasEngine(int threads) {
  return std::make_unique<LayeredEngine>(
      "OpenBLAS",
      std::string(openblas_get_config()) + " " + openblas_get_corename(),
      [threads](const Layer& layer, std::size_t rows) {
        openblas_set_num_threads(threads);
        return std::make_unique<BlasLayer>(layer, rows);
      });
}

}  // namespace relu::benchmarks
