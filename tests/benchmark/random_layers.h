// Random layers of which a wanted share of the outputs is zero.

#ifndef TESTS_BENCHMARK_RANDOM_LAYERS_H_
#define TESTS_BENCHMARK_RANDOM_LAYERS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/tensor/tensor.h"
#include "proto/onnx.pb.h"
#include "tests/benchmark/network.h"

namespace relu::benchmarks {

// `rows` rows for the first layer: values of -1 .. 1, each zero by chance.
Tensor RandomRows(std::size_t rows, const RandomNetworkOptions& options);

// The layers. `inputs` holds at least 64 rows; the biases are such that on the
// first 64 each hidden unit is zero for the wanted share of them. Sums of
// products have a mean square of about 1 in every layer, so nothing is denormal
// however deep the network is.
std::vector<Layer> RandomLayers(std::span<const float> inputs,
                                const RandomNetworkOptions& options);

// An initializer of type FLOAT16 from values that half precision can hold.
onnx::TensorProto HalfTensorProto(const std::string& name,
                                  const std::vector<std::int64_t>& dims,
                                  const std::vector<float>& values);

}  // namespace relu::benchmarks

#endif  // TESTS_BENCHMARK_RANDOM_LAYERS_H_
