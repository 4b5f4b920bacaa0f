// ModelOverride: what a client that loads a model sends in place of the files
// in the repository.

#ifndef CORE_REPOSITORY_MODEL_OVERRIDE_H_
#define CORE_REPOSITORY_MODEL_OVERRIDE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace relu {

// As in Triton: a configuration replaces config.pbtxt; files replace the whole
// folder of the model, which then need not exist.
struct ModelOverride {
  struct File {
    std::int64_t version = 0;
    std::string name;
    std::string bytes;
  };

  std::optional<std::string> config_json;
  std::vector<File> files;

  // Adds the parameter "file:<version>/<name>" of a load. INVALID_ARGUMENT,
  // with the key, if the version is no positive integer, or the name no plain
  // name of a file: letters, digits and "_-." that begin with no dot; or for
  // more than 256 files.
  absl::Status AddFile(std::string_view key, std::string bytes);

  std::size_t file_bytes() const;
};

// The files of an override as a model repository in a new temporary folder,
// which goes with this object. Only its owner can look into it.
class OverrideFolder {
 public:
  // INVALID_ARGUMENT if a file is there twice; UNAVAILABLE if the files cannot
  // be written.
  static absl::StatusOr<OverrideFolder> Write(const std::string& model,
                                              const ModelOverride& change);

  OverrideFolder(OverrideFolder&& other) noexcept;
  OverrideFolder& operator=(OverrideFolder&&) = delete;
  ~OverrideFolder();

  const std::filesystem::path& path() const { return path_; }

 private:
  explicit OverrideFolder(std::filesystem::path path);

  std::filesystem::path path_;  // Empty: moved from.
};

}  // namespace relu

#endif  // CORE_REPOSITORY_MODEL_OVERRIDE_H_
