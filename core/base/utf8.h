// UTF-8 checks, for names that become labels, protocol strings and messages.

#ifndef CORE_BASE_UTF8_H_
#define CORE_BASE_UTF8_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace relu {

// True if `text` is well-formed UTF-8 by the Unicode standard: no overlong
// forms, no surrogates, nothing above U+10FFFF.
bool IsValidUtf8(std::string_view text);

// `text` if it is valid, else a valid text in which every byte above 0x7F is
// written as \xHH.
std::string ToValidUtf8(std::string_view text);

// At most `max_bytes` of `text`, with "..." after it if that is not all; never
// cuts a character of valid UTF-8 in two.
std::string ClipUtf8(std::string_view text, std::size_t max_bytes);

}  // namespace relu

#endif  // CORE_BASE_UTF8_H_
