// libFuzzer target: the bytes of a model file, through everything that the
// server does with them at load, and one run of what came out.

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/check.h"
#include "core/graph/graph.h"
#include "core/graph/onnx_file.h"
#include "core/graph/onnx_import.h"
#include "core/plan/compiled_model.h"
#include "core/plan/self_check.h"
#include "proto/onnx.pb.h"

namespace {

// Imports a file of these bytes that is in memory alone.
absl::StatusOr<relu::Graph> Import(const std::uint8_t* bytes,
                                   std::size_t size) {
  static const int file = memfd_create("model.onnx", MFD_CLOEXEC);
  CHECK(ftruncate(file, 0) == 0);
  CHECK(pwrite(file, bytes, size, 0) == static_cast<ssize_t>(size));
  // What is beside it leads out of the folder, so it has no external data.
  const std::filesystem::path folder = "/proc/self/fd";
  return relu::ImportOnnx(folder / std::to_string(file));
}

}  // namespace

// Its name is given by libFuzzer.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes,
                                      std::size_t size) {
  // As reluctl reads it to make a smaller one.
  relu::ParseOnnx({reinterpret_cast<const char*>(bytes), size})
      .status()
      .IgnoreError();
  const auto graph = Import(bytes, size);
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
