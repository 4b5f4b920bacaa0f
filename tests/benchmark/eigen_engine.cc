// Eigen: matrix-vector and matrix-matrix products, compiled for this CPU.

#include <fmt/format.h>

#include <cstddef>
#include <memory>

#include "Eigen/Core"
#include "tests/benchmark/layered_engine.h"
#include "tests/benchmark/peers.h"

namespace relu::benchmarks {
namespace {

// Column-major: what is a row to us is a column to Eigen.
using Matrix = Eigen::MatrixXf;
using Vector = Eigen::VectorXf;

Matrix WeightsOf(const Layer& layer) {
  return Eigen::Map<const Matrix>(layer.weights.data(),
                                  static_cast<Eigen::Index>(layer.n),
                                  static_cast<Eigen::Index>(layer.k));
}

Vector BiasOf(const Layer& layer) {
  return Eigen::Map<const Vector>(layer.bias.data(),
                                  static_cast<Eigen::Index>(layer.n));
}

class VectorLayer : public LayerRunner {
 public:
  explicit VectorLayer(const Layer& layer)
      : weights_(WeightsOf(layer)), bias_(BiasOf(layer)), relu_(layer.relu) {}

  void Run(const float* input, float* output) override {
    const Eigen::Map<const Vector> x(input, weights_.cols());
    Eigen::Map<Vector> y(output, weights_.rows());
    y = bias_;
    y.noalias() += weights_ * x;
    if (relu_) {
      y = y.cwiseMax(0.0F);
    }
  }

 private:
  Matrix weights_;
  Vector bias_;
  bool relu_;
};

class MatrixLayer : public LayerRunner {
 public:
  MatrixLayer(const Layer& layer, std::size_t rows)
      : weights_(WeightsOf(layer)),
        bias_(BiasOf(layer)),
        rows_(static_cast<Eigen::Index>(rows)),
        relu_(layer.relu) {}

  void Run(const float* input, float* output) override {
    const Eigen::Map<const Matrix> x(input, weights_.cols(), rows_);
    Eigen::Map<Matrix> y(output, weights_.rows(), rows_);
    y.colwise() = bias_;
    y.noalias() += weights_ * x;
    if (relu_) {
      y = y.cwiseMax(0.0F);
    }
  }

 private:
  Matrix weights_;
  Vector bias_;
  Eigen::Index rows_;
  bool relu_;
};

}  // namespace

std::unique_ptr<Engine> MakeEigenEngine(int threads) {
  return std::make_unique<LayeredEngine>(
      "Eigen",
      fmt::format("{}.{}.{}, {}", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION,
                  EIGEN_MINOR_VERSION, Eigen::SimdInstructionSetsInUse()),
      [threads](const Layer& layer,
                std::size_t rows) -> std::unique_ptr<LayerRunner> {
        Eigen::setNbThreads(threads);
        if (rows == 1) {
          return std::make_unique<VectorLayer>(layer);
        }
        return std::make_unique<MatrixLayer>(layer, rows);
      });
}

}  // namespace relu::benchmarks
