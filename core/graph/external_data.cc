#include "core/graph/external_data.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/base/utf8.h"
#include "fmt/format.h"

namespace relu {
namespace {

namespace fs = std::filesystem;

// A file with holes can claim any size without taking it on disk.
constexpr std::uint64_t kMaxTotalBytes = std::uint64_t{8} << 30U;
constexpr std::size_t kMaxLocationBytes = 1024;

}  // namespace

ExternalData::ExternalData(fs::path folder)
    : folder_(folder.empty() ? fs::path(".") : std::move(folder)) {}

absl::StatusOr<Tensor> ExternalData::Read(const ExternalRange& range,
                                          DataType type, const Shape& shape) {
  ASSIGN_OR_RETURN(const fs::path path, Find(range, type, shape));
  Tensor tensor(type, shape);
  const auto file = File::Open(path, std::numeric_limits<std::size_t>::max());
  if (!file.ok() || !file->Read(range.offset_bytes, tensor.bytes()).ok()) {
    return absl::InternalError(
        fmt::format("external data \"{}\" cannot be read", range.location));
  }
  return tensor;
}

absl::Status ExternalData::Check(const ExternalRange& range, DataType type,
                                 const Shape& shape) {
  return Find(range, type, shape).status();
}

absl::StatusOr<fs::path> ExternalData::Find(const ExternalRange& range,
                                            DataType type, const Shape& shape) {
  ASSIGN_OR_RETURN(fs::path file, Resolve(range.location));
  const std::uint64_t wanted =
      static_cast<std::uint64_t>(ElementCount(shape).value()) *
      DataTypeSize(type);
  if (range.length_bytes.value_or(wanted) != wanted) {
    return absl::InvalidArgumentError(fmt::format(
        "external data has a length of {} bytes, shape {} of {} "
        "takes {}",
        *range.length_bytes, ShapeText(shape), DataTypeName(type), wanted));
  }
  RETURN_IF_ERROR(Claim(range, file, wanted));
  return file;
}

absl::StatusOr<fs::path> ExternalData::Resolve(
    const std::string& location) const {
  if (location.empty() || location.find('\0') != std::string::npos ||
      location.size() > kMaxLocationBytes || fs::path(location).is_absolute()) {
    return absl::InvalidArgumentError(fmt::format(
        "location \"{}\" of external data, wanted a path relative to the "
        "model's folder",
        ClipUtf8(location.substr(0, location.find('\0')), kMaxLocationBytes)));
  }
  std::error_code error;
  const fs::path root = fs::canonical(folder_, error);
  fs::path file;
  if (!error) {
    file = fs::weakly_canonical(root / location, error);
  }
  const fs::path inside = file.lexically_relative(root);
  if (error || inside.empty() || *inside.begin() == "..") {
    return absl::InvalidArgumentError(
        fmt::format("location \"{}\" of external data is outside of the "
                    "model's folder",
                    location));
  }
  const fs::file_type type = fs::status(file, error).type();
  if (type == fs::file_type::not_found) {
    return absl::NotFoundError(
        fmt::format("external data \"{}\": no such file", location));
  }
  if (type != fs::file_type::regular) {
    // Reading a FIFO or a device could wait for ever.
    return absl::InvalidArgumentError(
        fmt::format("external data \"{}\" is not a regular file", location));
  }
  return file;
}

absl::Status ExternalData::Claim(const ExternalRange& range,
                                 const fs::path& file,
                                 std::uint64_t wanted_bytes) {
  std::error_code error;
  const std::uint64_t size = fs::file_size(file, error);
  if (error || range.offset_bytes > size ||
      wanted_bytes > size - range.offset_bytes) {
    return absl::InvalidArgumentError(fmt::format(
        "external data \"{}\" has {} bytes, wanted {} from offset {} on",
        range.location, error ? 0 : size, wanted_bytes, range.offset_bytes));
  }
  // Or a small file, read again and again, could fill any memory.
  std::uint64_t& claimed = claimed_bytes_[file];
  if (wanted_bytes > size - claimed ||
      wanted_bytes > kMaxTotalBytes - total_bytes_) {
    return absl::InvalidArgumentError(fmt::format(
        "external data \"{}\" has {} bytes; with this one its tensors take {}, "
        "and those of all files {} (the most is {})",
        range.location, size, claimed + wanted_bytes,
        total_bytes_ + wanted_bytes, kMaxTotalBytes));
  }
  claimed += wanted_bytes;
  total_bytes_ += wanted_bytes;
  return absl::OkStatus();
}

}  // namespace relu
