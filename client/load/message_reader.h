// MessageReader: takes gRPC's messages out of the bytes of a stream. Each has 5
// bytes in front: whether it is compressed, and its length.

#ifndef CLIENT_LOAD_MESSAGE_READER_H_
#define CLIENT_LOAD_MESSAGE_READER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace relu::load {

inline constexpr std::size_t kMessagePrefixBytes = 5;

// `message` with its prefix.
std::string WithMessagePrefix(std::string_view message);

// For one thread.
class MessageReader {
 public:
  // Takes bytes from the front of `bytes` up to the end of a message. True:
  // message() is complete, and valid until the next call and as long as `bytes`
  // is. False: `bytes` is empty now, and more are needed. INTERNAL if a message
  // is compressed, or larger than 2 GiB.
  absl::StatusOr<bool> Next(std::string_view& bytes);

  std::string_view message() const { return message_; }
  // A message has begun and not ended.
  bool inside_message() const { return !pending_.empty(); }
  void Reset();

 private:
  std::string pending_;  // What came of the message, with its prefix.
  bool pending_is_done_ = false;
  std::string_view message_;  // A view of pending_, or of the caller's bytes.
};

}  // namespace relu::load

#endif  // CLIENT_LOAD_MESSAGE_READER_H_
