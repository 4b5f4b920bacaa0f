// Reading files, with a limit: nothing from disk is trusted.

#ifndef CORE_BASE_FILE_H_
#define CORE_BASE_FILE_H_

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace relu {

// A regular file that stays open and is read at any place. Movable; any number
// of threads may read.
class File {
 public:
  // Errors, each naming `path`:
  //   NOT_FOUND            there is no such file
  //   INVALID_ARGUMENT     it is not a regular file, or larger than `max_bytes`
  //   PERMISSION_DENIED    it cannot be opened
  static absl::StatusOr<File> Open(const std::filesystem::path& path,
                                   std::size_t max_bytes);
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();

  const std::filesystem::path& path() const { return path_; }
  // When it was opened.
  std::size_t size() const { return static_cast<std::size_t>(found_.st_size); }
  // Fills `bytes` with those from `offset_bytes` on. INTERNAL, without the
  // path, if they cannot be read, or are no longer there.
  absl::Status Read(std::uint64_t offset_bytes,
                    std::span<std::byte> bytes) const;
  // INTERNAL, without the path, if it has another size or time of change than
  // when it was opened: then somebody wrote to it.
  absl::Status CheckUnchanged() const;

 private:
  File(std::filesystem::path path, int descriptor);

  std::filesystem::path path_;
  int descriptor_;
  struct stat found_ = {};
};

// The content of a file. Errors, each naming `path`: those of File::Open() and
// File::Read().
absl::StatusOr<std::string> ReadFile(const std::filesystem::path& path,
                                     std::size_t max_bytes);

}  // namespace relu

#endif  // CORE_BASE_FILE_H_
