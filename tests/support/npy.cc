#include "tests/support/npy.h"

#include <fmt/format.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

constexpr std::size_t kMaxFileBytes = 64 << 20;
constexpr std::string_view kMagic = "\x93NUMPY";

// The two parts of a file: the header's text and the elements.
struct NpyParts {
  std::string_view header;
  std::string_view elements;
};

std::optional<NpyParts> SplitFile(std::string_view content) {
  if (content.size() < 12 || !content.starts_with(kMagic)) {
    return std::nullopt;
  }
  // After the magic: major and minor version, then the header's length in two
  // bytes (version 1) or four (version 2).
  const bool is_version_1 = content[6] == 1;
  const std::size_t header_begin = is_version_1 ? 10 : 12;
  std::uint32_t header_size = 0;
  std::memcpy(&header_size, content.data() + 8, header_begin - 8);
  if (content.size() - header_begin < header_size) {
    return std::nullopt;
  }
  content.remove_prefix(header_begin);
  return NpyParts{.header = content.substr(0, header_size),
                  .elements = content.substr(header_size)};
}

// The text of the header after "'key':", or nothing.
std::string_view Field(std::string_view header, std::string_view key) {
  const std::string quoted = fmt::format("'{}':", key);
  const std::size_t begin = header.find(quoted);
  if (begin == std::string_view::npos) {
    return {};
  }
  std::string_view field = header.substr(begin + quoted.size());
  field.remove_prefix(std::min(field.find_first_not_of(' '), field.size()));
  return field;
}

std::optional<DataType> ParseDescription(std::string_view field) {
  static constexpr std::pair<std::string_view, DataType> kTypes[] = {
      {"'<f8'", DataType::kFp64},  {"'<f4'", DataType::kFp32},
      {"'<f2'", DataType::kFp16},  {"'<i8'", DataType::kInt64},
      {"'<i4'", DataType::kInt32}, {"'|b1'", DataType::kBool}};
  for (const auto& [text, type] : kTypes) {
    if (field.starts_with(text)) {
      return type;
    }
  }
  return std::nullopt;
}

// Parses "(64, 10), ...", "(64,), ..." and "(), ...".
std::optional<Shape> ParseShape(std::string_view field) {
  const std::size_t end = field.find(')');
  if (!field.starts_with('(') || end == std::string_view::npos) {
    return std::nullopt;
  }
  Shape shape;
  for (std::size_t i = 1; i < end;) {
    if (field[i] == ' ' || field[i] == ',') {
      ++i;
      continue;
    }
    std::int64_t size = 0;
    const auto [stop, error] =
        std::from_chars(field.data() + i, field.data() + end, size);
    if (error != std::errc()) {
      return std::nullopt;
    }
    shape.push_back(size);
    i = static_cast<std::size_t>(stop - field.data());
  }
  return shape;
}

}  // namespace

absl::StatusOr<Tensor> ReadNpy(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const std::string content, ReadFile(path, kMaxFileBytes));
  const std::optional<NpyParts> parts = SplitFile(content);
  if (!parts.has_value()) {
    return absl::InvalidArgumentError(
        fmt::format("{}: not a .npy file", path.string()));
  }
  const std::optional<DataType> type =
      ParseDescription(Field(parts->header, "descr"));
  const std::optional<Shape> shape = ParseShape(Field(parts->header, "shape"));
  if (!type.has_value() || !shape.has_value() ||
      !Field(parts->header, "fortran_order").starts_with("False")) {
    return absl::InvalidArgumentError(fmt::format(
        "{}: header {} is not supported", path.string(), parts->header));
  }
  const std::optional<std::int64_t> count = ElementCount(*shape);
  const std::size_t element_bytes = DataTypeSize(*type);
  if (!count.has_value() ||
      static_cast<std::size_t>(*count) !=
          parts->elements.size() / element_bytes ||
      parts->elements.size() % element_bytes != 0) {
    return absl::InvalidArgumentError(
        fmt::format("{}: {} bytes of elements do not make shape {}",
                    path.string(), parts->elements.size(), ShapeText(*shape)));
  }
  Tensor tensor(*type, *shape);
  if (!parts->elements.empty()) {
    std::memcpy(tensor.bytes().data(), parts->elements.data(),
                parts->elements.size());
  }
  return tensor;
}

}  // namespace relu
