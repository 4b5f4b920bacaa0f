#include "client/load/message_reader.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "fmt/format.h"

namespace relu::load {
namespace {

constexpr std::size_t kMaxMessageBytes = std::size_t{1} << 31;

// The bytes of the message that `prefix` announces.
absl::StatusOr<std::size_t> LengthOf(std::string_view prefix) {
  if (prefix[0] != 0) {
    return absl::InternalError(
        "malformed answer: a compressed message, which was not asked for");
  }
  std::size_t length = 0;
  for (std::size_t i = 1; i < kMessagePrefixBytes; ++i) {
    length = length << 8 | static_cast<std::uint8_t>(prefix[i]);
  }
  if (length > kMaxMessageBytes) {
    return absl::InternalError(
        fmt::format("malformed answer: a message of {} bytes", length));
  }
  return length;
}

}  // namespace

std::string WithMessagePrefix(std::string_view message) {
  std::string bytes(kMessagePrefixBytes, '\0');
  for (std::size_t i = 1; i < kMessagePrefixBytes; ++i) {
    bytes[i] = static_cast<char>(message.size() >> 8 * (4 - i) & 0xFF);
  }
  return bytes.append(message);
}

absl::StatusOr<bool> MessageReader::Next(std::string_view& bytes) {
  if (pending_is_done_) {
    Reset();
  }
  const auto take = [&](std::size_t want_bytes) {
    const std::size_t count =
        std::min(bytes.size(), want_bytes - pending_.size());
    pending_.append(bytes.substr(0, count));
    bytes.remove_prefix(count);
    return pending_.size() == want_bytes;
  };
  if (pending_.empty() && bytes.size() >= kMessagePrefixBytes) {
    // The usual case, without a copy: all of a message is there.
    ASSIGN_OR_RETURN(const std::size_t length, LengthOf(bytes));
    if (bytes.size() - kMessagePrefixBytes >= length) {
      message_ = bytes.substr(kMessagePrefixBytes, length);
      bytes.remove_prefix(kMessagePrefixBytes + length);
      return true;
    }
  }
  if (pending_.size() < kMessagePrefixBytes && !take(kMessagePrefixBytes)) {
    return false;
  }
  ASSIGN_OR_RETURN(const std::size_t length, LengthOf(pending_));
  if (!take(kMessagePrefixBytes + length)) {
    return false;
  }
  message_ = std::string_view(pending_).substr(kMessagePrefixBytes);
  pending_is_done_ = true;
  return true;
}

void MessageReader::Reset() {
  pending_.clear();
  pending_is_done_ = false;
  message_ = {};
}

}  // namespace relu::load
