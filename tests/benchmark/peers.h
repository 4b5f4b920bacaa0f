// The engines that relud is measured against: those that were there when this
// program was configured, and ONNX Runtime if its library is there now.

#ifndef TESTS_BENCHMARK_PEERS_H_
#define TESTS_BENCHMARK_PEERS_H_

#include <filesystem>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"

#include "tests/benchmark/engine.h"

namespace relu::benchmarks {

// Each in a file of its own; those that were not there are not defined.
std::unique_ptr<Engine> MakeDnnlEngine(int threads);
std::unique_ptr<Engine> MakeEigenEngine(int threads);
std::unique_ptr<Engine> MakeOpenBlasEngine(int threads);
std::unique_ptr<Engine> MakeXnnpackEngine(int threads);
// Loads `library`, libonnxruntime.so of 1.0 or later. NOT_FOUND if it cannot
// be loaded.
absl::StatusOr<std::unique_ptr<Engine>> MakeOnnxRuntimeEngine(
    const std::filesystem::path& library, int threads);

// All there are. `onnx_runtime`: its library, or empty for none.
absl::StatusOr<std::vector<std::unique_ptr<Engine>>> MakePeers(
    const std::filesystem::path& onnx_runtime, int threads);

}  // namespace relu::benchmarks

#endif  // TESTS_BENCHMARK_PEERS_H_
