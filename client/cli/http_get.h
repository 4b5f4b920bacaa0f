// HttpGet(): a page over plain HTTP, as metrics are served.

#ifndef CLIENT_CLI_HTTP_GET_H_
#define CLIENT_CLI_HTTP_GET_H_

#include <chrono>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace relu {

// The body of http://`host_port``path`, at most 64 MB. UNAVAILABLE if there is
// no answer within `timeout`, or one with another status than 200.
absl::StatusOr<std::string> HttpGet(std::string_view host_port,
                                    std::string_view path,
                                    std::chrono::milliseconds timeout);

}  // namespace relu

#endif  // CLIENT_CLI_HTTP_GET_H_
