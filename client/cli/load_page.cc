#include "client/cli/load_page.h"

#include <string>
#include <string_view>

#include "client/cli/load_report_html.h"  // Made of load_report.html.
#include "core/base/check.h"

namespace relu {

std::string LoadPage(std::string_view json) {
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
  std::string page(kLoadReportHtml);
  const std::size_t place = page.find(kPlace);
  CHECK(place != std::string::npos);
  return page.replace(place, kPlace.size(), data);
}

}  // namespace relu
