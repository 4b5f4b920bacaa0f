#include "core/repository/safe_path.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/base/utf8.h"
#include "fmt/format.h"

namespace relu {
namespace {

namespace fs = std::filesystem;

}  // namespace

bool IsEntryName(std::string_view name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\0", 2)) ==
             std::string_view::npos;
}

absl::Status CheckModelName(std::string_view name) {
  if (IsEntryName(name) && name.front() != '.' && IsValidUtf8(name) &&
      name.size() <= kMaxModelNameBytes) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(fmt::format(
      "model name '{}': wanted 1 to {} bytes of UTF-8 without '/' that do not "
      "begin with '.'",
      ClipUtf8(ToValidUtf8(name.substr(0, name.find('\0'))),
               kMaxModelNameBytes),
      kMaxModelNameBytes));
}

absl::Status CheckInside(const fs::path& root, const fs::path& path) {
  std::error_code error;
  const fs::path real = fs::weakly_canonical(path, error);
  if (error) {
    return absl::InvalidArgumentError(
        fmt::format("{}: {}", path.string(), error.message()));
  }
  if (std::ranges::mismatch(root, real).in1 != root.end()) {
    return absl::InvalidArgumentError(
        fmt::format("{}: links to {}, which is outside of the model repository",
                    path.string(), real.string()));
  }
  return absl::OkStatus();
}

absl::StatusOr<fs::path> ResolveInside(const fs::path& folder,
                                       std::string_view relative) {
  const fs::path path(relative);
  if (relative.empty() || relative.find('\0') != std::string_view::npos ||
      path.is_absolute()) {
    return absl::InvalidArgumentError(fmt::format(
        "\"{}\": wanted a path relative to {}",
        ToValidUtf8(relative.substr(0, relative.find('\0'))), folder.string()));
  }
  std::error_code error;
  const fs::path root = fs::weakly_canonical(folder, error);
  const fs::path real =
      error ? fs::path() : fs::weakly_canonical(root / path, error);
  const fs::path inside = real.lexically_relative(root);
  if (error || inside.empty() || *inside.begin() == "..") {
    return absl::InvalidArgumentError(
        fmt::format("\"{}\" is outside of {}", relative, folder.string()));
  }
  return real;
}

}  // namespace relu
