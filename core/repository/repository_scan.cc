#include "core/repository/repository_scan.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/base/utf8.h"
#include "core/repository/model_config.h"
#include "fmt/format.h"

namespace relu {
namespace {

namespace fs = std::filesystem;

// Names go into labels of metrics and into error messages.
constexpr std::size_t kMaxNameBytes = 256;
constexpr std::string_view kExtension = ".onnx";

// What the folder has under one model name.
struct Candidate {
  bool folder = false;
  bool file = false;
};

// The entries of `folder` that are not hidden, sorted by name.
absl::StatusOr<std::vector<fs::directory_entry>> List(const fs::path& folder) {
  std::vector<fs::directory_entry> entries;
  std::error_code error;
  fs::directory_iterator iterator(folder, error);
  while (!error && iterator != fs::directory_iterator()) {
    if (!iterator->path().filename().native().starts_with('.')) {
      entries.push_back(*iterator);
    }
    iterator.increment(error);
  }
  if (error) {
    return absl::InvalidArgumentError(fmt::format(
        "{}: the folder cannot be read: {}", folder.string(), error.message()));
  }
  std::ranges::sort(entries);
  return entries;
}

// A folder, or a link to one.
bool IsFolder(const fs::directory_entry& entry) {
  std::error_code error;
  return entry.is_directory(error);
}

std::map<std::string, Candidate> FindCandidates(
    const std::vector<fs::directory_entry>& entries) {
  std::map<std::string, Candidate> candidates;
  for (const fs::directory_entry& entry : entries) {
    const fs::path name = entry.path().filename();
    if (IsFolder(entry)) {
      candidates[name.string()].folder = true;
    } else if (name.extension() == kExtension) {
      candidates[name.stem().string()].file = true;
    }
  }
  return candidates;
}

// A positive integer without sign and leading zeros, else 0.
std::int64_t VersionOfFolder(std::string_view text) {
  std::int64_t version = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, version);
  const bool plain = error == std::errc() && rest == end && version > 0;
  return plain && text.front() != '0' ? version : 0;
}

// Links must not lead out of `root`, which is canonical.
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

// Fills in version, file and config from the folder of a model.
absl::Status ScanFolder(const fs::path& root, const fs::path& folder,
                        ModelSource& source) {
  RETURN_IF_ERROR(CheckInside(root, folder));
  ASSIGN_OR_RETURN(const std::vector<fs::directory_entry> entries,
                   List(folder));
  for (const fs::directory_entry& entry : entries) {
    if (IsFolder(entry)) {
      source.version = std::max(
          source.version, VersionOfFolder(entry.path().filename().native()));
    }
  }
  if (source.version == 0) {
    return absl::NotFoundError(
        fmt::format("{}: there is no version folder; wanted {}",
                    folder.string(), (folder / "1" / "model.onnx").string()));
  }
  const fs::path config = folder / "config.pbtxt";
  std::error_code error;
  if (fs::symlink_status(config, error).type() != fs::file_type::not_found) {
    RETURN_IF_ERROR(CheckInside(root, config));
    ASSIGN_OR_RETURN(source.config, ReadModelConfig(config, source.name));
  }
  source.file =
      folder / fmt::format("{}", source.version) / source.config.model_filename;
  return CheckInside(root, source.file);
}

ModelSource ScanModel(const fs::path& root, const fs::path& repository,
                      const std::string& name, const Candidate& candidate) {
  ModelSource source;
  source.name = ToValidUtf8(name);
  const std::string file = name + std::string(kExtension);
  if (source.name != name || name.size() > kMaxNameBytes) {
    source.status = absl::InvalidArgumentError(fmt::format(
        "the name is not UTF-8 of at most {} bytes: rename it", kMaxNameBytes));
  } else if (candidate.folder && candidate.file) {
    source.status = absl::InvalidArgumentError(fmt::format(
        "the model repository has both {}/ and {}: remove one", name, file));
  } else if (candidate.folder) {
    source.status = ScanFolder(root, repository / name, source);
  } else {
    source.version = 1;
    source.file = repository / file;
    source.status = CheckInside(root, source.file);
  }
  return source;
}

absl::StatusOr<fs::path> CanonicalFolder(const fs::path& folder) {
  std::error_code error;
  const fs::file_type type = fs::status(folder, error).type();
  if (type == fs::file_type::not_found) {
    return absl::NotFoundError(
        fmt::format("model repository {}: no such folder", folder.string()));
  }
  if (type != fs::file_type::directory) {
    return absl::InvalidArgumentError(
        fmt::format("model repository {}: {}", folder.string(),
                    error ? error.message() : std::string("is not a folder")));
  }
  fs::path canonical = fs::canonical(folder, error);
  if (error) {
    return absl::InvalidArgumentError(fmt::format(
        "model repository {}: {}", folder.string(), error.message()));
  }
  return canonical;
}

}  // namespace

absl::StatusOr<std::vector<ModelSource>> ScanRepository(
    const std::filesystem::path& folder) {
  ASSIGN_OR_RETURN(const fs::path root, CanonicalFolder(folder));
  ASSIGN_OR_RETURN(const std::vector<fs::directory_entry> entries,
                   List(folder));
  std::vector<ModelSource> sources;
  for (const auto& [name, candidate] : FindCandidates(entries)) {
    sources.push_back(ScanModel(root, folder, name, candidate));
  }
  return sources;
}

}  // namespace relu
