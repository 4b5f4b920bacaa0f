// ScanRepository: which models a repository folder holds, and in which files.

#ifndef CORE_REPOSITORY_REPOSITORY_SCAN_H_
#define CORE_REPOSITORY_REPOSITORY_SCAN_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/repository/model_config.h"

namespace relu {

// A model that the folder names, before it is loaded.
struct ModelSource {
  // Valid UTF-8: bytes of the file name that are not are written as \xHH.
  std::string name;
  std::int64_t version = 0;  // The one to serve; 0: none was found.
  std::filesystem::path file;
  ModelConfig config;
  // Why there is nothing to load; OK if file and config are set.
  absl::Status status;
};

// The models of `folder`, by name; the layouts are those of ModelRepository.
// NOT_FOUND or INVALID_ARGUMENT if the folder itself cannot be read.
absl::StatusOr<std::vector<ModelSource>> ScanRepository(
    const std::filesystem::path& folder);

}  // namespace relu

#endif  // CORE_REPOSITORY_REPOSITORY_SCAN_H_
