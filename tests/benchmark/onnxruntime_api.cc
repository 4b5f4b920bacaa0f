#include "tests/benchmark/onnxruntime_api.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace relu::benchmarks::ort {
namespace {

// What the library's only exported function returns.
struct ApiBase {
  void* const* (*get_api)(std::uint32_t version);
  const char* (*get_version)();
};

}  // namespace

absl::StatusOr<Api> Api::Load(const std::filesystem::path& library) {
  void* const handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* const symbol =
      handle == nullptr ? nullptr : dlsym(handle, "OrtGetApiBase");
  if (symbol == nullptr) {
    const char* const reason = dlerror();
    return absl::NotFoundError(
        fmt::format("{}: {}", library.string(),
                    reason == nullptr ? "not ONNX Runtime" : reason));
  }
  const ApiBase& base = *reinterpret_cast<const ApiBase* (*)()>(symbol)();
  Api api;
  api.table_ = base.get_api(/*version=*/1);
  api.version_ = base.get_version();
  return api;
}

absl::Status Api::ToStatus(Status* status) const {
  if (status == nullptr) {
    return absl::OkStatus();
  }
  const std::string message = (*this)[GetErrorMessage()](status);
  (*this)[ReleaseStatus()](status);
  return absl::InternalError("ONNX Runtime: " + message);
}

}  // namespace relu::benchmarks::ort
