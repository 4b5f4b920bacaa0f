// Paths that come from outside must not lead out of the model repository.

#ifndef CORE_REPOSITORY_SAFE_PATH_H_
#define CORE_REPOSITORY_SAFE_PATH_H_

#include <cstddef>
#include <filesystem>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace relu {

// Names of models go into labels of metrics and into error messages.
inline constexpr std::size_t kMaxModelNameBytes = 256;

// True if `name` names an entry of a folder and nothing else: neither empty nor
// "." or "..", without a slash or a zero byte.
bool IsEntryName(std::string_view name);

// INVALID_ARGUMENT unless `name` can be that of a model: an entry name that
// does not begin with a dot, UTF-8 of at most kMaxModelNameBytes.
absl::Status CheckModelName(std::string_view name);

// INVALID_ARGUMENT, with both places, if links lead from `path` to outside of
// `root`, which is canonical. `path` need not exist.
absl::Status CheckInside(const std::filesystem::path& root,
                         const std::filesystem::path& path);

// The real place of `relative`, a path relative to `folder` as a file of the
// user names it. INVALID_ARGUMENT if it is absolute, empty, or leads out of
// `folder`, with links or without.
absl::StatusOr<std::filesystem::path> ResolveInside(
    const std::filesystem::path& folder, std::string_view relative);

}  // namespace relu

#endif  // CORE_REPOSITORY_SAFE_PATH_H_
