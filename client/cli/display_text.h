// Text from outside, made safe to show on a terminal or to put into JSON.

#ifndef CLIENT_CLI_DISPLAY_TEXT_H_
#define CLIENT_CLI_DISPLAY_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace relu {

// Line ends and other control characters as "\n", "\x1b", ...
std::string EscapeControl(std::string_view text);

// The columns that UTF-8 `text` takes: one a code point. Wide characters are
// not known.
std::size_t DisplayWidth(std::string_view text);

// `text` as a JSON string, with its quotes. What is not UTF-8 is replaced.
std::string JsonString(std::string_view text);

}  // namespace relu

#endif  // CLIENT_CLI_DISPLAY_TEXT_H_
