#include "core/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/base/status_prefix.h"
#include "fmt/format.h"

namespace relu {

absl::StatusOr<File> File::Open(const std::filesystem::path& path,
                                std::size_t max_bytes) {
  std::error_code error;
  const auto type = std::filesystem::status(path, error).type();
  if (type == std::filesystem::file_type::not_found) {
    return absl::NotFoundError(fmt::format("{}: no such file", path.string()));
  }
  if (error) {
    return absl::PermissionDeniedError(
        fmt::format("{}: {}", path.string(), error.message()));
  }
  if (type != std::filesystem::file_type::regular) {
    // Reading a FIFO or a device could wait for ever.
    return absl::InvalidArgumentError(
        fmt::format("{}: not a regular file", path.string()));
  }
  File file(path, open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.descriptor_ < 0 || fstat(file.descriptor_, &file.found_) != 0 ||
      !S_ISREG(file.found_.st_mode)) {
    const std::string reason = std::generic_category().message(errno);
    return absl::PermissionDeniedError(
        fmt::format("{}: cannot be opened: {}", path.string(), reason));
  }
  if (file.size() > max_bytes) {
    return absl::InvalidArgumentError(fmt::format(
        "{}: {} bytes, the most is {}", path.string(), file.size(), max_bytes));
  }
  return file;
}

File::File(std::filesystem::path path, int descriptor)
    : path_(std::move(path)), descriptor_(descriptor) {}

File::File(File&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      found_(other.found_) {}

File& File::operator=(File&& other) noexcept {
  path_ = std::move(other.path_);
  std::swap(descriptor_, other.descriptor_);
  found_ = other.found_;
  return *this;
}

File::~File() {
  if (descriptor_ >= 0) {
    close(descriptor_);
  }
}

absl::Status File::Read(std::uint64_t offset_bytes,
                        std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t count = pread(descriptor_, bytes.data(), bytes.size(),
                                static_cast<off_t>(offset_bytes));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return absl::InternalError(count < 0 ? "the file cannot be read"
                                           : "the file was cut short");
    }
    offset_bytes += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return absl::OkStatus();
}

absl::Status File::CheckUnchanged() const {
  struct stat now = {};
  if (fstat(descriptor_, &now) != 0 || now.st_size != found_.st_size ||
      now.st_mtim.tv_sec != found_.st_mtim.tv_sec ||
      now.st_mtim.tv_nsec != found_.st_mtim.tv_nsec) {
    return absl::InternalError("the file was changed while it was read");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadFile(const std::filesystem::path& path,
                                     std::size_t max_bytes) {
  ASSIGN_OR_RETURN(const File file, File::Open(path, max_bytes));
  std::string content(file.size(), '\0');
  const absl::Status read =
      file.Read(0, std::as_writable_bytes(std::span(content)));
  if (!read.ok()) {
    return WithPrefix(path.string() + ": ", read);
  }
  return content;
}

}  // namespace relu
