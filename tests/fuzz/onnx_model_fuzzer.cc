// libFuzzer target: the bytes of a model file, through everything that the
// server does with them at load, and one run of what came out.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

#include "core/graph/graph.h"
#include "core/graph/onnx_file.h"
#include "core/graph/onnx_import.h"
#include "core/plan/compiled_model.h"
#include "core/plan/self_check.h"
#include "proto/onnx.pb.h"

// Its name is given by libFuzzer.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes,
                                      std::size_t size) {
  absl::StatusOr<onnx::ModelProto> message =
      relu::ParseOnnx({reinterpret_cast<const char*>(bytes), size});
  if (!message.ok()) {
    return 0;
  }
  // A folder without files: whatever external data it names is missing.
  const auto graph = relu::ImportOnnx(*std::move(message), "/proc/self/fdinfo");
  if (!graph.ok()) {
    return 0;
  }
  const auto model = relu::CompiledModel::Compile(*graph);
  if (model.ok()) {
    // Runs the plan and the interpreter. A plan that is wrong is refused here
    // at load; that it is right is for other tests to show.
    relu::SelfCheck(*graph, *model).IgnoreError();
  }
  return 0;
}
