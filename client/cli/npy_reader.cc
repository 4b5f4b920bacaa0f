#include "client/cli/npy_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/cli/number.h"
#include "client/cli/rows.h"
#include "core/base/status_macros.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"

namespace relu {
namespace {

// "\x93NUMPY", two bytes of version, the header's size, the header: the text of
// a Python dictionary; then the elements.
constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kSizeOffset = 8;

constexpr std::array<std::pair<std::string_view, DataType>, 14> kTypes = {{
    {"|b1", DataType::kBool},
    {"|u1", DataType::kUint8},
    {"<u2", DataType::kUint16},
    {"<u4", DataType::kUint32},
    {"<u8", DataType::kUint64},
    {"|i1", DataType::kInt8},
    {"<i2", DataType::kInt16},
    {"<i4", DataType::kInt32},
    {"<i8", DataType::kInt64},
    {"<f2", DataType::kFp16},
    {"<f4", DataType::kFp32},
    {"<f8", DataType::kFp64},
    {"<u1", DataType::kUint8},
    {"<i1", DataType::kInt8},
}};

absl::Status NotNpy(std::string_view why) {
  return absl::InvalidArgumentError(fmt::format("not a .npy file: {}", why));
}

// The little-endian number in the first `size` bytes.
std::size_t LittleEndian(std::string_view bytes, std::size_t size) {
  std::size_t value = 0;
  for (std::size_t i = size; i > 0; --i) {
    value = value << 8 | static_cast<unsigned char>(bytes[i - 1]);
  }
  return value;
}

// Takes the header from the front of `bytes`.
absl::StatusOr<std::string_view> TakeHeader(std::string_view& bytes) {
  if (!bytes.starts_with(kMagic)) {
    return NotNpy("it does not begin with \\x93NUMPY");
  }
  const int version = bytes.size() > kMagic.size() ? bytes[kMagic.size()] : 0;
  if (version < 1 || version > 3) {
    return NotNpy(fmt::format("version {}, 1 to 3 are known", version));
  }
  const std::size_t size_bytes = version == 1 ? 2 : 4;
  const std::size_t offset = kSizeOffset + size_bytes;
  if (bytes.size() < offset) {
    return NotNpy("it ends in its header");
  }
  const std::size_t size = LittleEndian(bytes.substr(kSizeOffset), size_bytes);
  if (bytes.size() - offset < size) {
    return NotNpy("it ends in its header");
  }
  const std::string_view header = bytes.substr(offset, size);
  bytes.remove_prefix(offset + size);
  return header;
}

// What follows "'key':" in the header, up to one of `ends`.
std::optional<std::string_view> Find(std::string_view header,
                                     std::string_view key,
                                     std::string_view ends) {
  const std::string quoted = fmt::format("'{}':", key);
  const std::size_t found = header.find(quoted);
  if (found == std::string_view::npos) {
    return std::nullopt;
  }
  header.remove_prefix(found + quoted.size());
  header.remove_prefix(std::min(header.find_first_not_of(' '), header.size()));
  const std::size_t end = header.find_first_of(ends);
  return end == std::string_view::npos ? std::nullopt
                                       : std::optional(header.substr(0, end));
}

absl::StatusOr<DataType> TypeOf(std::string_view header) {
  const std::string_view text =
      Find(header, "descr", ",}").value_or(std::string_view());
  for (const auto& [name, type] : kTypes) {
    if (text == fmt::format("'{}'", name)) {
      return type;
    }
  }
  return absl::InvalidArgumentError(
      fmt::format("the .npy file holds {}; little-endian floats, integers or "
                  "bools are wanted",
                  text.empty() ? "no 'descr'" : text));
}

// "(2, 64" or "(2,".
absl::StatusOr<Shape> ShapeOf(std::string_view header) {
  auto text = Find(header, "shape", ")");
  if (!text.has_value() || !text->starts_with('(')) {
    return NotNpy("its header has no shape");
  }
  text->remove_prefix(1);
  Shape shape;
  while (true) {
    text->remove_prefix(std::min(text->find_first_not_of(", "), text->size()));
    if (text->empty()) {
      return shape;
    }
    std::int64_t size = 0;
    const auto [rest, error] =
        std::from_chars(text->data(), text->data() + text->size(), size);
    if (error != std::errc()) {
      return NotNpy(fmt::format("its shape holds \"{}\"", *text));
    }
    shape.push_back(size);
    text->remove_prefix(static_cast<std::size_t>(rest - text->data()));
  }
}

enum class Conversion { kNone, kExact, kRounding, kImpossible };

// Integers are checked value by value; floats never become integers.
Conversion ConversionOf(DataType from, DataType to) {
  if (from == to) {
    return Conversion::kNone;
  }
  if (!IsFloat(from)) {
    return Conversion::kExact;
  }
  if (!IsFloat(to)) {
    return Conversion::kImpossible;
  }
  return DataTypeSize(to) > DataTypeSize(from) ? Conversion::kExact
                                               : Conversion::kRounding;
}

absl::StatusOr<Shape> RowShapeOf(const NpyArray& array,
                                 const ModelInput& input) {
  Shape row_shape(array.shape.begin() + 1, array.shape.end());
  if (!input.row_elements.has_value()) {
    return row_shape;  // The server checks it against the model.
  }
  if (ElementCount(row_shape) != input.row_elements) {
    Shape want{kBatchDim};
    want.insert(want.end(), input.row_shape.begin(), input.row_shape.end());
    return absl::InvalidArgumentError(
        fmt::format("input \"{}\": shape {}, model wants {}", input.name,
                    ShapeText(array.shape), ShapeText(want)));
  }
  return input.row_shape;
}

absl::StatusOr<std::vector<std::byte>> Convert(const NpyArray& array,
                                               DataType to) {
  std::vector<std::byte> elements;
  const std::size_t size = DataTypeSize(array.type);
  for (std::size_t i = 0; i < array.elements.size(); i += size) {
    RETURN_IF_ERROR(AppendElement(
        LoadElement(array.type, array.elements.data() + i), to, elements));
  }
  return elements;
}

}  // namespace

absl::StatusOr<NpyArray> ReadNpy(std::string_view bytes) {
  ASSIGN_OR_RETURN(const std::string_view header, TakeHeader(bytes));
  NpyArray array;
  ASSIGN_OR_RETURN(array.type, TypeOf(header));
  ASSIGN_OR_RETURN(array.shape, ShapeOf(header));
  if (array.shape.size() > 1 &&
      Find(header, "fortran_order", ",}") != std::string_view("False")) {
    return absl::InvalidArgumentError(
        "the .npy file holds columns first; save numpy.ascontiguousarray(..)");
  }
  const auto count = ElementCount(array.shape);
  const std::size_t size = DataTypeSize(array.type);
  if (!count.has_value() || bytes.size() % size != 0 ||
      bytes.size() / size != static_cast<std::size_t>(*count)) {
    return NotNpy(fmt::format("shape {} of {}, but {} bytes",
                              ShapeText(array.shape), DataTypeName(array.type),
                              bytes.size()));
  }
  array.elements = std::as_bytes(std::span(bytes));
  return array;
}

absl::StatusOr<RowTensor> ToRows(const NpyArray& array, const ModelInput& input,
                                 std::vector<std::string>& notes) {
  if (array.shape.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("input \"{}\": one number without a shape, rows are wanted",
                    input.name));
  }
  RowTensor tensor{
      .name = input.name, .type = input.type, .row_shape = {}, .bytes = {}};
  ASSIGN_OR_RETURN(tensor.row_shape, RowShapeOf(array, input));
  const Conversion conversion = ConversionOf(array.type, input.type);
  if (conversion == Conversion::kNone) {
    tensor.bytes.assign(array.elements.begin(), array.elements.end());
    return tensor;
  }
  if (conversion == Conversion::kImpossible) {
    return absl::InvalidArgumentError(fmt::format(
        "input \"{}\": the file holds {}, model wants {}", input.name,
        DataTypeName(array.type), DataTypeName(input.type)));
  }
  auto elements = Convert(array, input.type);
  if (!elements.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("input \"{}\": {}", input.name,
                    std::string(elements.status().message())));
  }
  if (conversion == Conversion::kRounding) {
    notes.push_back(fmt::format("input \"{}\": {} rounded to {}", input.name,
                                DataTypeName(array.type),
                                DataTypeName(input.type)));
  }
  tensor.bytes = *std::move(elements);
  return tensor;
}

}  // namespace relu
