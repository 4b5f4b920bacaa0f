#include "client/cli/page.h"

#include <string>
#include <string_view>

#include "core/base/check.h"

namespace relu {

std::string PageWith(std::string_view page, std::string_view json) {
  // A name or message that holds "</script>" must not end the script.
  std::string data;
  for (const char c : json) {
    if (c == '<') {
      data += "\\u003c";
    } else {
      data += c;
    }
  }
  constexpr std::string_view kPlace = "@REPORT@";
  std::string filled(page);
  const std::size_t place = filled.find(kPlace);
  CHECK(place != std::string::npos);
  return filled.replace(place, kPlace.size(), data);
}

}  // namespace relu
