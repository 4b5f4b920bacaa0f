#include "server/json_text.h"

#include <iterator>
#include <string>
#include <string_view>

#include "core/base/utf8.h"
#include "fmt/format.h"

namespace relu {

void AppendJsonString(std::string_view text, std::string& json) {
  if (!IsValidUtf8(text)) {
    AppendJsonString(ToValidUtf8(text), json);
    return;
  }
  json += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (c == '\n') {
      json += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(json), "\\u{:04x}",
                     static_cast<unsigned>(c));
    } else {
      json += c;
    }
  }
  json += '"';
}

}  // namespace relu
