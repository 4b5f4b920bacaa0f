#include "core/repository/repository_scan.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/base/utf8.h"
#include "core/repository/file_stamp.h"
#include "core/repository/model_config.h"
#include "core/repository/safe_path.h"
#include "core/repository/version_policy.h"
#include "fmt/format.h"

namespace relu {
namespace {

namespace fs = std::filesystem;

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

// Something of this name is there, if only a link to nothing.
bool IsThere(const fs::path& path) {
  std::error_code error;
  return fs::symlink_status(path, error).type() != fs::file_type::not_found;
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

// The versions that are in the folder of a model, ascending.
absl::StatusOr<std::vector<std::int64_t>> ListVersions(const fs::path& folder) {
  ASSIGN_OR_RETURN(const std::vector<fs::directory_entry> entries,
                   List(folder));
  std::vector<std::int64_t> versions;
  for (const fs::directory_entry& entry : entries) {
    const std::string name = entry.path().filename().string();
    const std::int64_t version = ParseVersion(name);
    if (version > 0 && name.front() != '0' && IsFolder(entry)) {
      versions.push_back(version);
    }
  }
  std::ranges::sort(versions);
  if (versions.empty()) {
    return absl::NotFoundError(
        fmt::format("{}: there is no version folder; wanted {}",
                    folder.string(), (folder / "1" / "model.onnx").string()));
  }
  return versions;
}

// A model in a folder of its own.
class FolderScan {
 public:
  FolderScan(const fs::path& root, const fs::path& folder, ModelSource& source)
      : root_(root), folder_(folder), source_(source) {
    source_.folder = folder;
  }

  // Fills in versions and config. What is wrong with all of them is returned.
  absl::Status Run(const std::optional<ModelConfig>& config) {
    RETURN_IF_ERROR(CheckInside(root_, folder_));
    ASSIGN_OR_RETURN(const std::vector<std::int64_t> available,
                     ListVersions(folder_));
    const absl::Status status = ReadConfig(config);
    // Without a configuration the default policy: the index names a version.
    for (const std::int64_t version :
         SelectVersions(source_.config.version_policy, available)) {
      source_.versions.push_back(ScanVersion(version));
    }
    return status;
  }

 private:
  absl::Status ReadConfig(const std::optional<ModelConfig>& config) {
    const fs::path file = folder_ / "config.pbtxt";
    if (config.has_value()) {
      source_.config = *config;
    } else if (IsThere(file)) {
      RETURN_IF_ERROR(CheckInside(root_, file));
      source_.config_stamp.AddFile(file);
      ASSIGN_OR_RETURN(source_.config, ReadModelConfig(file, source_.name));
    }
    if (!source_.config.warmup.empty()) {
      source_.warmup_folder = folder_ / "warmup";
      RETURN_IF_ERROR(CheckInside(root_, source_.warmup_folder));
      if (IsThere(source_.warmup_folder)) {
        return source_.config_stamp.AddFolder(source_.warmup_folder);
      }
    }
    return absl::OkStatus();
  }

  VersionSource ScanVersion(std::int64_t version) const {
    VersionSource source;
    source.version = version;
    const fs::path folder = folder_ / fmt::format("{}", version);
    source.file = folder / source_.config.model_filename;
    source.status = CheckInside(root_, source.file);
    if (source.status.ok() && !IsThere(folder)) {
      source.status = absl::NotFoundError(fmt::format(
          "{}: there is no such folder, but version_policy names it",
          folder.string()));
    }
    if (source.status.ok()) {
      source.status = source.stamp.AddFolder(folder);
    }
    AddLabelFiles(source.stamp);
    return source;
  }

  // What is wrong with them is said when they are read.
  void AddLabelFiles(FileStamp& stamp) const {
    for (const TensorConfig& output : source_.config.outputs) {
      const absl::StatusOr<fs::path> file =
          ResolveInside(folder_, output.label_filename);
      if (file.ok()) {
        stamp.AddFile(*file);
      }
    }
  }

  const fs::path& root_;
  const fs::path& folder_;
  ModelSource& source_;
};

// A model of a single file.
void ScanFile(const fs::path& root, const fs::path& repository,
              const std::string& name, const std::optional<ModelConfig>& config,
              ModelSource& source) {
  VersionSource version;
  version.version = 1;
  version.file = repository / (name + std::string(kExtension));
  version.status = CheckInside(root, version.file);
  if (version.status.ok()) {
    version.status = version.stamp.AddFilesWithPrefix(repository, name + ".");
  }
  source.config = config.value_or(ModelConfig());
  source.folder = repository / name;
  source.warmup_folder = source.folder / "warmup";
  source.versions.push_back(std::move(version));
}

ModelSource ScanCandidate(const fs::path& root, const fs::path& repository,
                          const std::string& name, const Candidate& candidate,
                          const std::optional<ModelConfig>& config) {
  ModelSource source;
  source.name = ToValidUtf8(name);
  source.repository = repository;
  if (source.name != name || name.size() > kMaxModelNameBytes) {
    source.status = absl::InvalidArgumentError(
        fmt::format("the name is not UTF-8 of at most {} bytes: rename it",
                    kMaxModelNameBytes));
  } else if (candidate.folder && candidate.file) {
    source.status = absl::InvalidArgumentError(
        fmt::format("the model repository has both {}/ and {}{}: remove one",
                    name, name, kExtension));
  } else if (candidate.folder) {
    source.status = FolderScan(root, repository / name, source).Run(config);
  } else {
    ScanFile(root, repository, name, config, source);
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

FileStamp ModelSource::stamp() const {
  FileStamp all = config_stamp;
  for (const VersionSource& version : versions) {
    all.Add(version.stamp);
  }
  return all;
}

absl::StatusOr<std::vector<ModelSource>> ScanRepository(
    const std::filesystem::path& folder) {
  ASSIGN_OR_RETURN(const fs::path root, CanonicalFolder(folder));
  ASSIGN_OR_RETURN(const std::vector<fs::directory_entry> entries,
                   List(folder));
  std::vector<ModelSource> sources;
  for (const auto& [name, candidate] : FindCandidates(entries)) {
    sources.push_back(
        ScanCandidate(root, folder, name, candidate, std::nullopt));
  }
  return sources;
}

absl::StatusOr<ModelSource> ScanModel(
    const std::filesystem::path& folder, const std::string& name,
    const std::optional<ModelConfig>& config) {
  RETURN_IF_ERROR(CheckModelName(name));
  ASSIGN_OR_RETURN(const fs::path root, CanonicalFolder(folder));
  std::error_code error;
  const std::string file = name + std::string(kExtension);
  const Candidate candidate = {
      .folder = fs::is_directory(folder / name, error),
      .file = IsThere(folder / file) && !fs::is_directory(folder / file, error),
  };
  if (!candidate.folder && !candidate.file) {
    return absl::NotFoundError(
        fmt::format("model repository {} has neither {}/ nor {}",
                    folder.string(), name, file));
  }
  return ScanCandidate(root, folder, name, candidate, config);
}

}  // namespace relu
