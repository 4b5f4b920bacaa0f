#include "server/text.h"

#include <cstddef>
#include <string>
#include <string_view>

#include "core/base/utf8.h"
#include "fmt/format.h"

namespace relu {
namespace {

constexpr std::size_t kEllipsisBytes = 3;  // Of ClipUtf8().

std::string EscapeControls(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      result += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      result += fmt::format("\\x{:02X}", byte);
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace

std::string Printable(std::string_view text, std::size_t max_bytes) {
  // Cut first: a name may have megabytes. Cut again if escapes made it longer.
  const std::string valid = ToValidUtf8(ClipUtf8(text, max_bytes));
  return ClipUtf8(EscapeControls(valid), max_bytes + kEllipsisBytes);
}

}  // namespace relu
