#include "core/base/file.h"

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "fmt/format.h"

namespace relu {

absl::StatusOr<std::string> ReadFile(const std::filesystem::path& path,
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
  const std::size_t size = std::filesystem::file_size(path, error);
  if (!error && size > max_bytes) {
    return absl::InvalidArgumentError(fmt::format(
        "{}: {} bytes, the most is {}", path.string(), size, max_bytes));
  }
  std::ifstream stream(path, std::ios::binary);
  if (error || !stream) {
    return absl::PermissionDeniedError(
        fmt::format("{}: cannot be opened", path.string()));
  }
  std::string content(size, '\0');
  stream.read(content.data(), static_cast<std::streamsize>(size));
  // The file may have shrunk since.
  content.resize(static_cast<std::size_t>(stream.gcount()));
  if (stream.bad()) {
    return absl::InternalError(
        fmt::format("{}: cannot be read", path.string()));
  }
  return content;
}

}  // namespace relu
