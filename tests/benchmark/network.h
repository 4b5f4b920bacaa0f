// Networks to measure, with rows to run them on.

#ifndef TESTS_BENCHMARK_NETWORK_H_
#define TESTS_BENCHMARK_NETWORK_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"
#include "proto/onnx.pb.h"

namespace relu::benchmarks {

// A fully connected layer, for engines that do not read ONNX.
struct Layer {
  std::size_t k = 0;           // Input features.
  std::size_t n = 0;           // Output features.
  std::vector<float> weights;  // Row-major [k, n].
  std::vector<float> bias;     // n
  bool relu = false;
};

struct Output {
  std::string name;
  DataType type = DataType::kFp32;
  Shape row_shape;  // Without the batch dimension.
};

struct Network {
  std::string name;
  onnx::ModelProto model;
  // The same as `model`, or empty if it has more than dense layers with ReLU.
  std::vector<Layer> layers;
  std::vector<std::string> input_names;
  std::vector<Tensor> inputs;  // By input; the first dimension counts rows.
  std::vector<Output> outputs;
  double operations_per_row = 0;  // Multiplications and additions of weights.
  std::size_t weight_bytes = 0;   // As in the file, so without padding.
};

// Rows of a network, cut into batches of the same size. There are at least 64
// rows and two batches: what an engine reads for one row is not what it has
// just read for the row before.
struct Batches {
  std::size_t rows = 0;        // Of one batch.
  std::size_t count = 0;       // Of batches.
  std::vector<Tensor> inputs;  // By input: count * rows rows.
};

// What a random network looks like.
struct RandomNetworkOptions {
  std::vector<std::size_t> sizes;  // Features of the input and of each layer.
  // The share of zeros among the inputs, and among the outputs of each hidden
  // layer. Half zeros is what random weights without bias give.
  double input_zeros = 0.0;
  double hidden_zeros = 0.5;
  // Weights are rounded to half precision, and are so in the ONNX file.
  bool half_precision_weights = false;
};

// Layers with ReLU, but for the last. Always the same for the same options.
absl::StatusOr<Network> MakeRandomNetwork(const std::string& name,
                                          const RandomNetworkOptions& options);

// A model of tests/testdata/models with its real rows.
absl::StatusOr<Network> LoadTrainedNetwork(const std::filesystem::path& folder);

Batches MakeBatches(const Network& network, std::size_t rows);

}  // namespace relu::benchmarks

#endif  // TESTS_BENCHMARK_NETWORK_H_
