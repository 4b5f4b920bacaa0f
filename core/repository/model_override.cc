#include "core/repository/model_override.h"

#include <stdlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"

#include "core/base/status_macros.h"
#include "core/base/utf8.h"
#include "core/repository/version_policy.h"
#include "fmt/format.h"

namespace relu {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFilePrefix = "file:";
constexpr std::size_t kMaxFiles = 256;
constexpr std::size_t kMaxFileNameBytes = 128;
constexpr std::size_t kMaxQuotedKeyBytes = 256;

bool IsPlainFileName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxFileNameBytes &&
         name.front() != '.' && std::ranges::all_of(name, [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  c == '_' || c == '-' || c == '.';
         });
}

absl::Status WriteFile(const fs::path& path, std::string_view bytes) {
  std::ofstream stream(path, std::ios::binary);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  stream.close();
  if (!stream) {
    return absl::UnavailableError(fmt::format("{}: {} bytes cannot be written",
                                              path.string(), bytes.size()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ModelOverride::AddFile(std::string_view key, std::string bytes) {
  const std::string_view path =
      key.starts_with(kFilePrefix) ? key.substr(kFilePrefix.size()) : "";
  const std::size_t slash = path.find('/');
  const std::int64_t version = ParseVersion(path.substr(0, slash));
  const std::string_view name =
      slash == std::string_view::npos ? "" : path.substr(slash + 1);
  if (version == 0 || !IsPlainFileName(name)) {
    return absl::InvalidArgumentError(fmt::format(
        "parameter '{}': wanted 'file:<version>/<name>' with a positive "
        "integer and a name of letters, digits and '_-.'",
        ClipUtf8(ToValidUtf8(key.substr(0, kMaxQuotedKeyBytes)),
                 kMaxQuotedKeyBytes)));
  }
  if (files.size() == kMaxFiles) {
    return absl::InvalidArgumentError(
        fmt::format("more than {} files", kMaxFiles));
  }
  files.push_back({.version = version,
                   .name = std::string(name),
                   .bytes = std::move(bytes)});
  return absl::OkStatus();
}

std::size_t ModelOverride::file_bytes() const {
  std::size_t bytes = 0;
  for (const File& file : files) {
    bytes += file.bytes.size();
  }
  return bytes;
}

absl::StatusOr<OverrideFolder> OverrideFolder::Write(
    const std::string& model, const ModelOverride& change) {
  std::error_code error;
  std::string pattern =
      (fs::temp_directory_path(error) / "relud-load-XXXXXX").string();
  if (error || mkdtemp(pattern.data()) == nullptr) {
    return absl::UnavailableError(fmt::format(
        "{}: a temporary folder cannot be made there for the files of the "
        "request; TMPDIR names another place",
        fs::path(pattern).parent_path().string()));
  }
  OverrideFolder folder{fs::path(pattern)};
  for (const ModelOverride::File& file : change.files) {
    const fs::path version =
        folder.path_ / model / fmt::format("{}", file.version);
    fs::create_directories(version, error);
    if (error) {
      return absl::UnavailableError(
          fmt::format("{}: {}", version.string(), error.message()));
    }
    if (fs::exists(version / file.name, error)) {
      return absl::InvalidArgumentError(fmt::format(
          "parameter 'file:{}/{}' is there twice", file.version, file.name));
    }
    RETURN_IF_ERROR(WriteFile(version / file.name, file.bytes));
  }
  return folder;
}

OverrideFolder::OverrideFolder(fs::path path) : path_(std::move(path)) {}

OverrideFolder::OverrideFolder(OverrideFolder&& other) noexcept
    : path_(std::exchange(other.path_, fs::path())) {}

OverrideFolder::~OverrideFolder() {
  if (!path_.empty()) {
    std::error_code ignored;  // What is left is in a folder for such.
    fs::remove_all(path_, ignored);
  }
}

}  // namespace relu
