// Pages that programs of ours write: HTML that holds a report as JSON.

#ifndef CLIENT_CLI_PAGE_H_
#define CLIENT_CLI_PAGE_H_

#include <string>
#include <string_view>

namespace relu {

// `page` with `json` in the place of its "@REPORT@", which is within a script.
std::string PageWith(std::string_view page, std::string_view json);

}  // namespace relu

#endif  // CLIENT_CLI_PAGE_H_
