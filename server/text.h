// Text that clients made up, turned into something that is safe to show: in
// messages, in logs and in the status of a call.

#ifndef SERVER_TEXT_H_
#define SERVER_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace relu {

// Bytes that a name may take in a message.
inline constexpr std::size_t kMaxNameBytes = 200;

// Returns `text` as one line of valid UTF-8: control characters become "\n" or
// "\x1B", and so do the bytes above 0x7F if they are not UTF-8. Of what would
// be longer, about `max_bytes` are kept, with "..." after them.
std::string Printable(std::string_view text,
                      std::size_t max_bytes = kMaxNameBytes);

}  // namespace relu

#endif  // SERVER_TEXT_H_
