#include "core/base/utf8.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fmt/format.h"

namespace relu {
namespace {

// Table 3-7 of the Unicode standard, "Well-Formed UTF-8 Byte Sequences": by the
// first byte, the length and the range of the second byte. Further bytes are
// 80..BF.
struct Sequence {
  std::uint8_t first_low;
  std::uint8_t first_high;
  std::size_t length;
  std::uint8_t second_low;
  std::uint8_t second_high;
};
constexpr std::array<Sequence, 9> kSequences = {{
    {0x00, 0x7F, 1, 0x00, 0x00},
    {0xC2, 0xDF, 2, 0x80, 0xBF},
    {0xE0, 0xE0, 3, 0xA0, 0xBF},
    {0xE1, 0xEC, 3, 0x80, 0xBF},
    {0xED, 0xED, 3, 0x80, 0x9F},
    {0xEE, 0xEF, 3, 0x80, 0xBF},
    {0xF0, 0xF0, 4, 0x90, 0xBF},
    {0xF1, 0xF3, 4, 0x80, 0xBF},
    {0xF4, 0xF4, 4, 0x80, 0x8F},
}};

bool InRange(char byte, std::uint8_t low, std::uint8_t high) {
  const auto value = static_cast<std::uint8_t>(byte);
  return low <= value && value <= high;
}

// Bytes of the character that `text`, which is not empty, begins with; 0 if it
// is not well-formed.
std::size_t CharacterBytes(std::string_view text) {
  for (const Sequence& sequence : kSequences) {
    if (!InRange(text[0], sequence.first_low, sequence.first_high)) {
      continue;
    }
    if (text.size() < sequence.length ||
        (sequence.length > 1 &&
         !InRange(text[1], sequence.second_low, sequence.second_high))) {
      return 0;
    }
    for (std::size_t i = 2; i < sequence.length; ++i) {
      if (!InRange(text[i], 0x80, 0xBF)) {
        return 0;
      }
    }
    return sequence.length;
  }
  return 0;
}

}  // namespace

bool IsValidUtf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t bytes = CharacterBytes(text);
    if (bytes == 0) {
      return false;
    }
    text.remove_prefix(bytes);
  }
  return true;
}

std::string ToValidUtf8(std::string_view text) {
  if (IsValidUtf8(text)) {
    return std::string(text);
  }
  std::string valid;
  for (const char byte : text) {
    if (InRange(byte, 0x00, 0x7F)) {
      valid += byte;
    } else {
      valid += fmt::format("\\x{:02X}", static_cast<std::uint8_t>(byte));
    }
  }
  return valid;
}

std::string ClipUtf8(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) {
    return std::string(text);
  }
  std::size_t end = max_bytes;
  while (end > 0 && InRange(text[end], 0x80, 0xBF)) {
    --end;  // In the middle of a character.
  }
  return std::string(text.substr(0, end)) + "...";
}

}  // namespace relu
