#include "core/repository/file_stamp.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/status/status.h"

#include "fmt/format.h"

namespace relu {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxEntries = 4096;

std::int64_t Nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

absl::Status Unreadable(const fs::path& folder, const std::error_code& error) {
  return absl::InvalidArgumentError(fmt::format(
      "{}: the folder cannot be read: {}", folder.string(), error.message()));
}

}  // namespace

void FileStamp::AddFile(const fs::path& path) {
  struct stat state {};
  if (stat(path.c_str(), &state) == 0 && S_ISREG(state.st_mode)) {
    files_.push_back({.path = path.string(),
                      .size_bytes = static_cast<std::uintmax_t>(state.st_size),
                      .modified_ns = Nanoseconds(state.st_mtim),
                      .changed_ns = Nanoseconds(state.st_ctim)});
  }
}

absl::Status FileStamp::AddFolder(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> paths;
  std::size_t entries = 0;
  fs::recursive_directory_iterator iterator(folder, error);
  while (!error && iterator != fs::recursive_directory_iterator()) {
    if (++entries > kMaxEntries) {
      return absl::InvalidArgumentError(fmt::format(
          "{}: more than {} files and folders", folder.string(), kMaxEntries));
    }
    if (iterator->path().filename().native().starts_with('.')) {
      iterator.disable_recursion_pending();
    } else {
      paths.push_back(iterator->path());
    }
    iterator.increment(error);
  }
  if (error) {
    return Unreadable(folder, error);
  }
  std::ranges::sort(paths);
  for (const fs::path& path : paths) {
    AddFile(path);
  }
  return absl::OkStatus();
}

absl::Status FileStamp::AddFilesWithPrefix(const fs::path& folder,
                                           const std::string& prefix) {
  std::error_code error;
  std::vector<fs::path> paths;
  fs::directory_iterator iterator(folder, error);
  while (!error && iterator != fs::directory_iterator()) {
    if (iterator->path().filename().native().starts_with(prefix)) {
      paths.push_back(iterator->path());
    }
    iterator.increment(error);
  }
  if (error) {
    return Unreadable(folder, error);
  }
  std::ranges::sort(paths);
  for (const fs::path& path : paths) {
    AddFile(path);
  }
  return absl::OkStatus();
}

void FileStamp::Add(const FileStamp& other) {
  files_.insert(files_.end(), other.files_.begin(), other.files_.end());
}

std::uintmax_t FileStamp::size_bytes() const {
  std::uintmax_t bytes = 0;
  for (const FileState& file : files_) {
    bytes += file.size_bytes;
  }
  return bytes;
}

std::chrono::system_clock::time_point FileStamp::changed_at() const {
  std::int64_t newest_ns = 0;
  for (const FileState& file : files_) {
    newest_ns = std::max({newest_ns, file.modified_ns, file.changed_ns});
  }
  return std::chrono::system_clock::time_point(
      std::chrono::nanoseconds(newest_ns));
}

}  // namespace relu
