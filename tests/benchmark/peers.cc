#include "tests/benchmark/peers.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

#include "core/base/status_macros.h"

namespace relu::benchmarks {

absl::StatusOr<std::vector<std::unique_ptr<Engine>>> MakePeers(
    const std::filesystem::path& onnx_runtime, [[maybe_unused]] int threads) {
  std::vector<std::unique_ptr<Engine>> peers;
  if (!onnx_runtime.empty()) {
    ASSIGN_OR_RETURN(std::unique_ptr<Engine> engine,
                     MakeOnnxRuntimeEngine(onnx_runtime, threads));
    peers.push_back(std::move(engine));
  }
#ifdef RELU_HAVE_DNNL
  peers.push_back(MakeDnnlEngine(threads));
#endif
#ifdef RELU_HAVE_OPENBLAS
  peers.push_back(MakeOpenBlasEngine(threads));
#endif
#ifdef RELU_HAVE_EIGEN
  peers.push_back(MakeEigenEngine(threads));
#endif
#ifdef RELU_HAVE_XNNPACK
  peers.push_back(MakeXnnpackEngine(threads));
#endif
  return peers;
}

}  // namespace relu::benchmarks
