#include "core/graph/onnx_fields.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"

#include "proto/onnx.pb.h"

namespace relu {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

std::map<std::string, std::string, std::less<>> MetadataOf(
    const std::string& model, std::string_view prefix) {
  std::map<std::string, std::string, std::less<>> metadata;
  FilterFields(model, [&](int number, const std::string& content) {
    onnx::StringStringEntryProto entry;
    if (number == kModelMetadata && entry.ParseFromString(content) &&
        entry.key().starts_with(prefix)) {
      metadata.insert_or_assign(entry.key(), entry.value());
    }
    return false;
  });
  return metadata;
}

std::string FilterFields(
    const std::string& message,
    const std::function<bool(int, const std::string&)>& keeps) {
  CodedInputStream stream(reinterpret_cast<const std::uint8_t*>(message.data()),
                          static_cast<int>(message.size()));
  std::string kept;
  for (int begin = 0; const std::uint32_t tag = stream.ReadTag();
       begin = stream.CurrentPosition()) {
    std::string content;
    if (WireFormatLite::GetTagWireType(tag) ==
        WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      std::uint32_t length = 0;
      stream.ReadVarint32(&length);
      stream.ReadString(&content, static_cast<int>(length));
    } else {
      WireFormatLite::SkipField(&stream, tag);
    }
    if (keeps(WireFormatLite::GetTagFieldNumber(tag), content)) {
      kept.append(message, static_cast<std::size_t>(begin),
                  static_cast<std::size_t>(stream.CurrentPosition() - begin));
    }
  }
  return kept;
}

void AppendField(int number, std::string_view content, std::string& message) {
  std::array<std::uint8_t, 10> room{};
  std::uint8_t* end = CodedOutputStream::WriteVarint32ToArray(
      WireFormatLite::MakeTag(number,
                              WireFormatLite::WIRETYPE_LENGTH_DELIMITED),
      room.data());
  end = CodedOutputStream::WriteVarint32ToArray(
      static_cast<std::uint32_t>(content.size()), end);
  message.append(room.data(), end);
  message.append(content);
}

}  // namespace relu
