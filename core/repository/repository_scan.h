// ScanRepository: which models a repository folder holds, and in which files.

#ifndef CORE_REPOSITORY_REPOSITORY_SCAN_H_
#define CORE_REPOSITORY_REPOSITORY_SCAN_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/repository/file_stamp.h"
#include "core/repository/model_config.h"

namespace relu {

// A version of a model that is to be served, before it is loaded.
struct VersionSource {
  std::int64_t version = 0;
  std::filesystem::path file;  // The ONNX file.
  // Of that file, those beside it, and those of label_filename.
  FileStamp stamp;
  // Why there is nothing to load; OK if file and stamp are set.
  absl::Status status;
};

// A model that the folder names, before it is loaded.
struct ModelSource {
  // Valid UTF-8: bytes of the file name that are not are written as \xHH.
  std::string name;
  // The folder that was scanned.
  std::filesystem::path repository;
  // Its own, which may be missing if it is a single file.
  std::filesystem::path folder;
  // Of the files for model_warmup.
  std::filesystem::path warmup_folder;
  // Those that the version policy selects, ascending.
  std::vector<VersionSource> versions;
  ModelConfig config;
  FileStamp config_stamp;  // Of config.pbtxt, and of files for the warm-up.
  // Why there is nothing to load; OK if the rest is set.
  absl::Status status;

  // Of all files.
  FileStamp stamp() const;
};

// The models of `folder`, by name; the layouts are those of ModelRepository.
// NOT_FOUND or INVALID_ARGUMENT if the folder itself cannot be read.
absl::StatusOr<std::vector<ModelSource>> ScanRepository(
    const std::filesystem::path& folder);

// One model of `folder`, with `config` in place of its config.pbtxt if that is
// given. NOT_FOUND if the folder has no such model; INVALID_ARGUMENT if `name`
// cannot be one, or the folder itself cannot be read.
absl::StatusOr<ModelSource> ScanModel(
    const std::filesystem::path& folder, const std::string& name,
    const std::optional<ModelConfig>& config = std::nullopt);

}  // namespace relu

#endif  // CORE_REPOSITORY_REPOSITORY_SCAN_H_
