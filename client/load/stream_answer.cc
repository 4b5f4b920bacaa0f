#include "client/load/stream_answer.h"

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"

namespace relu::load {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

constexpr int kErrorField = 1;     // Of ModelStreamInferResponse.
constexpr int kResponseField = 2;  // The same.
constexpr int kIdField = 3;        // Of ModelInferResponse.

// Calls `on_text` with the number and the bytes of each field that has some.
template <typename OnText>
bool ForEachText(std::string_view message, const OnText& on_text) {
  CodedInputStream input(reinterpret_cast<const std::uint8_t*>(message.data()),
                         static_cast<int>(message.size()));
  while (const std::uint32_t tag = input.ReadTag()) {
    if (WireFormatLite::GetTagWireType(tag) !=
        WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      if (!WireFormatLite::SkipField(&input, tag)) {
        return false;
      }
      continue;
    }
    std::uint32_t size = 0;
    if (!input.ReadVarint32(&size)) {
      return false;
    }
    const auto begin = static_cast<std::size_t>(input.CurrentPosition());
    if (size > message.size() - begin || !input.Skip(static_cast<int>(size))) {
      return false;
    }
    on_text(WireFormatLite::GetTagFieldNumber(tag),
            message.substr(begin, size));
  }
  return input.ConsumedEntireMessage();
}

}  // namespace

absl::StatusOr<StreamAnswer> ReadStreamAnswer(std::string_view message) {
  StreamAnswer answer;
  const bool outer =
      ForEachText(message, [&answer](int field, std::string_view bytes) {
        if (field == kErrorField) {
          answer.error = bytes;
        } else if (field == kResponseField) {
          answer.response = bytes;
        }
      });
  const bool inner =
      outer && ForEachText(answer.response,
                           [&answer](int field, std::string_view bytes) {
                             if (field == kIdField) {
                               answer.id = bytes;
                             }
                           });
  if (!inner) {
    return absl::InternalError("malformed answer: no ModelStreamInferResponse");
  }
  return answer;
}

}  // namespace relu::load
