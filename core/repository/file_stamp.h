// FileStamp: what tells whether files have changed, without reading them.

#ifndef CORE_REPOSITORY_FILE_STAMP_H_
#define CORE_REPOSITORY_FILE_STAMP_H_

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace relu {

// One file: links are followed. No inode number: some network file systems make
// up another one each time. The time of the last change of the inode, which no
// tool can set, is what differs between files that were copied with their
// times.
struct FileState {
  std::string path;
  std::uintmax_t size_bytes = 0;
  std::int64_t modified_ns = 0;  // Since 1970, as the next.
  std::int64_t changed_ns = 0;

  friend bool operator==(const FileState&, const FileState&) = default;
};

class FileStamp {
 public:
  // Adds a file. If it is not there, nothing is added.
  void AddFile(const std::filesystem::path& path);

  // Adds the files in `folder` and below. Hidden ones are left out (programs
  // that copy write to such first), and links to folders are not followed.
  // INVALID_ARGUMENT if the folder cannot be read, or for more than 4096
  // entries.
  absl::Status AddFolder(const std::filesystem::path& folder);

  // Adds the files in `folder`, not below, whose name begins with `prefix`.
  absl::Status AddFilesWithPrefix(const std::filesystem::path& folder,
                                  const std::string& prefix);

  void Add(const FileStamp& other);

  std::uintmax_t size_bytes() const;

  // When the last of the changes happened; the epoch if there is no file.
  std::chrono::system_clock::time_point changed_at() const;

  friend bool operator==(const FileStamp&, const FileStamp&) = default;

 private:
  std::vector<FileState> files_;
};

}  // namespace relu

#endif  // CORE_REPOSITORY_FILE_STAMP_H_
