// The page that `reluctl load --report` writes: all of a report, with charts.

#ifndef CLIENT_CLI_LOAD_PAGE_H_
#define CLIENT_CLI_LOAD_PAGE_H_

#include <string>
#include <string_view>

namespace relu {

// HTML that is complete in itself: it needs no network. `json` is a report as
// LoadReportJson() writes it.
std::string LoadPage(std::string_view json);

}  // namespace relu

#endif  // CLIENT_CLI_LOAD_PAGE_H_
