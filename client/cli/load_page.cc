#include "client/cli/load_page.h"

#include <string>
#include <string_view>

#include "client/cli/load_report_html.h"  // Made of load_report.html.
#include "client/cli/page.h"

namespace relu {

std::string LoadPage(std::string_view json) {
  return PageWith(kLoadReportHtml, json);
}

}  // namespace relu
