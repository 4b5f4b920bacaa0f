#include "core/graph/onnx_wire.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"

#include "fmt/format.h"

namespace relu {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

constexpr std::size_t kMaxMessages = 100'000;
constexpr std::size_t kMinNumberBytes = std::size_t{16} << 20U;

enum class Kind {
  kModel,
  kGraph,
  kNode,
  kAttribute,
  kTensor,
  kValueInfo,
  kType,
  kTensorType,
  kShape,
  kLeaf,    // A string or a message with nothing to count inside.
  kInt32s,  // Numbers of variable length, packed or not.
  kInt64s,
  kUnknown,  // Kept by the parser as the bytes they are.
};

// What the fields of onnx.proto hold that can be repeated. Fields that are not
// here cannot grow much beyond their bytes.
struct Field {
  Kind message;
  int number;
  Kind holds;
};
constexpr Field kFields[] = {
    {Kind::kModel, 7, Kind::kGraph},       // graph
    {Kind::kModel, 8, Kind::kLeaf},        // opset_import
    {Kind::kModel, 20, Kind::kLeaf},       // training_info
    {Kind::kModel, 25, Kind::kLeaf},       // functions
    {Kind::kGraph, 1, Kind::kNode},        // node
    {Kind::kGraph, 5, Kind::kTensor},      // initializer
    {Kind::kGraph, 11, Kind::kValueInfo},  // input
    {Kind::kGraph, 12, Kind::kValueInfo},  // output
    {Kind::kGraph, 15, Kind::kLeaf},       // sparse_initializer
    {Kind::kNode, 1, Kind::kLeaf},         // input
    {Kind::kNode, 2, Kind::kLeaf},         // output
    {Kind::kNode, 5, Kind::kAttribute},    // attribute
    {Kind::kAttribute, 5, Kind::kTensor},  // t
    {Kind::kAttribute, 8, Kind::kInt64s},  // ints
    {Kind::kAttribute, 9, Kind::kLeaf},    // strings
    {Kind::kTensor, 1, Kind::kInt64s},     // dims
    {Kind::kTensor, 3, Kind::kLeaf},       // segment
    {Kind::kTensor, 5, Kind::kInt32s},     // int32_data
    {Kind::kTensor, 6, Kind::kLeaf},       // string_data
    {Kind::kTensor, 7, Kind::kInt64s},     // int64_data
    {Kind::kTensor, 11, Kind::kInt64s},    // uint64_data
    {Kind::kTensor, 13, Kind::kLeaf},      // external_data
    {Kind::kValueInfo, 2, Kind::kType},    // type
    {Kind::kType, 1, Kind::kTensorType},   // tensor_type
    {Kind::kType, 4, Kind::kLeaf},         // sequence_type
    {Kind::kType, 5, Kind::kLeaf},         // map_type
    {Kind::kType, 8, Kind::kLeaf},         // sparse_tensor_type
    {Kind::kType, 9, Kind::kLeaf},         // optional_type
    {Kind::kTensorType, 2, Kind::kShape},  // shape
    {Kind::kShape, 1, Kind::kLeaf},        // dim
};

Kind HeldBy(Kind message, int number) {
  const auto* const found = std::ranges::find_if(kFields, [&](const Field& f) {
    return f.message == message && f.number == number;
  });
  return found == std::end(kFields) ? Kind::kUnknown : found->holds;
}

// Counts what is in the bytes. For one thread.
class Scan {
 public:
  explicit Scan(std::string_view bytes)
      : bytes_(bytes),
        stream_(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                static_cast<int>(bytes.size())) {}

  // Goes through one message, up to the current limit of the stream. False if
  // it is malformed; also, early, when there is too much of something.
  // Recursion ends: no kind of message holds itself.
  bool Message(Kind kind) {
    while (const std::uint32_t tag = stream_.ReadTag()) {
      const Kind held = HeldBy(kind, WireFormatLite::GetTagFieldNumber(tag));
      const bool is_delimited = WireFormatLite::GetTagWireType(tag) ==
                                WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
      const bool good = is_delimited ? Delimited(held) : Plain(held, tag);
      if (!good || HasTooMany()) {
        return false;
      }
    }
    return stream_.ConsumedEntireMessage();
  }

  bool HasTooMany() const {
    return messages_ > kMaxMessages ||
           number_bytes_ > kMinNumberBytes + 2 * bytes_.size();
  }

 private:
  bool Plain(Kind held, std::uint32_t tag) {
    CountNumbers(held, 1);
    return WireFormatLite::SkipField(&stream_, tag);
  }

  bool Delimited(Kind held) {
    int length = 0;
    if (!stream_.ReadVarintSizeAsInt(&length)) {
      return false;
    }
    const auto begin = static_cast<std::size_t>(stream_.CurrentPosition());
    if (static_cast<std::size_t>(length) > bytes_.size() - begin) {
      return false;
    }
    if (held == Kind::kInt32s || held == Kind::kInt64s) {
      // The last byte of each number has no high bit.
      const auto packed =
          bytes_.substr(begin, static_cast<std::size_t>(length));
      CountNumbers(held, std::ranges::count_if(packed, [](char byte) {
                     return (static_cast<unsigned char>(byte) & 0x80U) == 0;
                   }));
    } else if (held != Kind::kUnknown) {
      ++messages_;
      if (held != Kind::kLeaf) {
        const CodedInputStream::Limit outer = stream_.PushLimit(length);
        const bool good = Message(held);
        stream_.PopLimit(outer);
        return good;
      }
    }
    return stream_.Skip(length);
  }

  void CountNumbers(Kind held, std::ptrdiff_t count) {
    if (held == Kind::kInt32s || held == Kind::kInt64s) {
      number_bytes_ +=
          static_cast<std::size_t>(count) * (held == Kind::kInt32s ? 4 : 8);
    }
  }

  std::string_view bytes_;
  CodedInputStream stream_;
  std::size_t messages_ = 0;
  std::size_t number_bytes_ = 0;  // What the parsed numbers take.
};

}  // namespace

absl::Status CheckOnnxWire(std::string_view bytes) {
  Scan scan(bytes);
  if (scan.Message(Kind::kModel)) {
    return absl::OkStatus();
  }
  if (scan.HasTooMany()) {
    return absl::InvalidArgumentError(fmt::format(
        "more than {} nodes, names, attributes and tensors, or too many "
        "numbers that are not raw data: too much for a model that is served; "
        "export weights as raw data",
        kMaxMessages));
  }
  return absl::InvalidArgumentError(
      "not an ONNX file: damaged, cut short or of another format");
}

}  // namespace relu
