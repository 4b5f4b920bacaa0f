#include "core/graph/onnx_wire.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/wire_format_lite.h"

#include "core/base/status_macros.h"
#include "core/graph/onnx_fields.h"
#include "fmt/format.h"
#include "proto/onnx.pb.h"

namespace relu {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::ArrayInputStream;
using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;
using google::protobuf::io::ZeroCopyInputStream;

constexpr std::size_t kMaxMessages = 100'000;
constexpr std::size_t kMaxNumberBytes = std::size_t{4} << 20U;
constexpr std::size_t kMinOutlineBytes = std::size_t{16} << 20U;
constexpr std::size_t kMinDataBytes = std::size_t{16} << 20U;

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
  kFunction,
  kLeaf,     // A string or a message with nothing to count inside.
  kCounted,  // A message whose content nobody reads.
  kPlain,    // A number, or bytes of which there are not many.
  kInts,     // Numbers of variable length, packed or not.
  kData,     // Elements of a tensor: all but kInts32 and kInts64 are as they
             // are in memory.
  kInts32,
  kInts64,
  kUnknown,  // Left out.
};

// The fields of onnx.proto.
struct Field {
  Kind message;
  int number;
  Kind holds;
};
constexpr Field kFields[] = {
    {Kind::kModel, 1, Kind::kPlain},              // ir_version
    {Kind::kModel, 2, Kind::kPlain},              // producer_name
    {Kind::kModel, 3, Kind::kPlain},              // producer_version
    {Kind::kModel, 7, Kind::kGraph},              // graph
    {Kind::kModel, 8, Kind::kLeaf},               // opset_import
    {Kind::kModel, kModelMetadata, Kind::kLeaf},  // metadata_props
    {Kind::kModel, 20, Kind::kCounted},           // training_info
    {Kind::kModel, 25, Kind::kFunction},          // functions
    {Kind::kFunction, 1, Kind::kPlain},           // name
    {Kind::kFunction, 10, Kind::kPlain},          // domain
    {Kind::kGraph, 1, Kind::kNode},               // node
    {Kind::kGraph, 2, Kind::kPlain},              // name
    {Kind::kGraph, 5, Kind::kTensor},             // initializer
    {Kind::kGraph, 11, Kind::kValueInfo},         // input
    {Kind::kGraph, 12, Kind::kValueInfo},         // output
    {Kind::kGraph, 15, Kind::kCounted},           // sparse_initializer
    {Kind::kNode, 1, Kind::kLeaf},                // input
    {Kind::kNode, 2, Kind::kLeaf},                // output
    {Kind::kNode, 3, Kind::kPlain},               // name
    {Kind::kNode, 4, Kind::kPlain},               // op_type
    {Kind::kNode, 5, Kind::kAttribute},           // attribute
    {Kind::kNode, 7, Kind::kPlain},               // domain
    {Kind::kAttribute, 1, Kind::kPlain},          // name
    {Kind::kAttribute, 2, Kind::kPlain},          // f
    {Kind::kAttribute, 3, Kind::kPlain},          // i
    {Kind::kAttribute, 4, Kind::kPlain},          // s
    {Kind::kAttribute, 5, Kind::kTensor},         // t
    {Kind::kAttribute, 7, Kind::kPlain},          // floats
    {Kind::kAttribute, 8, Kind::kInts},           // ints
    {Kind::kAttribute, 9, Kind::kLeaf},           // strings
    {Kind::kAttribute, 20, Kind::kPlain},         // type
    {Kind::kAttribute, 21, Kind::kPlain},         // ref_attr_name
    {Kind::kTensor, 1, Kind::kInts},              // dims
    {Kind::kTensor, 2, Kind::kPlain},             // data_type
    {Kind::kTensor, 3, Kind::kLeaf},              // segment
    {Kind::kTensor, 4, Kind::kData},              // float_data
    {Kind::kTensor, 5, Kind::kInts32},            // int32_data
    {Kind::kTensor, 6, Kind::kLeaf},              // string_data
    {Kind::kTensor, 7, Kind::kInts64},            // int64_data
    {Kind::kTensor, 8, Kind::kPlain},             // name
    {Kind::kTensor, 9, Kind::kData},              // raw_data
    {Kind::kTensor, 10, Kind::kData},             // double_data
    {Kind::kTensor, 11, Kind::kInts64},           // uint64_data
    {Kind::kTensor, 13, Kind::kLeaf},             // external_data
    {Kind::kTensor, 14, Kind::kPlain},            // data_location
    {Kind::kValueInfo, 1, Kind::kPlain},          // name
    {Kind::kValueInfo, 2, Kind::kType},           // type
    {Kind::kType, 1, Kind::kTensorType},          // tensor_type
    {Kind::kType, 4, Kind::kCounted},             // sequence_type
    {Kind::kType, 5, Kind::kCounted},             // map_type
    {Kind::kType, 8, Kind::kCounted},             // sparse_tensor_type
    {Kind::kType, 9, Kind::kCounted},             // optional_type
    {Kind::kTensorType, 1, Kind::kPlain},         // elem_type
    {Kind::kTensorType, 2, Kind::kShape},         // shape
    {Kind::kShape, 1, Kind::kLeaf},               // dim
};

Kind HeldBy(Kind message, int number) {
  const auto* const found = std::ranges::find_if(kFields, [&](const Field& f) {
    return f.message == message && f.number == number;
  });
  return found == std::end(kFields) ? Kind::kUnknown : found->holds;
}

bool IsMessage(Kind kind) { return kind < Kind::kLeaf; }
bool IsData(Kind kind) {
  return kind == Kind::kData || kind == Kind::kInts32 || kind == Kind::kInts64;
}

// Writes the fields of nested messages one after the other.
class Writer {
 public:
  // Takes address space for so many bytes, not yet the memory, so that they are
  // not moved as they grow.
  explicit Writer(std::size_t usual_bytes) { bytes_.reserve(usual_bytes); }

  void Varint(std::uint64_t number) {
    std::array<std::uint8_t, 10> room{};
    std::uint8_t* const end =
        CodedOutputStream::WriteVarint64ToArray(number, room.data());
    bytes_.append(room.data(), end);
  }
  // The length of what comes now is not known yet: it takes five bytes.
  std::size_t Begin() {
    bytes_.append(kLengthBytes, '\x80');
    return bytes_.size();
  }
  void End(std::size_t begin) {
    std::size_t length = bytes_.size() - begin;
    for (std::size_t i = kLengthBytes; i > 0; --i, length >>= 7U) {
      const bool is_last = i == 1;
      bytes_[begin - i] =
          static_cast<char>((length & 0x7FU) | (is_last ? 0U : 0x80U));
    }
  }
  // Room for so many bytes, to be filled.
  char* Extend(std::size_t size) {
    bytes_.resize(bytes_.size() + size);
    return bytes_.data() + bytes_.size() - size;
  }
  void Append(std::string_view bytes) { bytes_.append(bytes); }

  std::size_t size() const { return bytes_.size(); }
  std::string Take() { return std::move(bytes_); }

 private:
  static constexpr std::size_t kLengthBytes = 5;
  std::string bytes_;
};

// Goes through the bytes once. For one thread.
class Scan {
 public:
  Scan(ZeroCopyInputStream& bytes, std::size_t size)
      : size_(static_cast<int>(size)),
        most_bytes_(kMinOutlineBytes + size / 2),
        stream_(&bytes),
        outline_(std::min(size, kMinOutlineBytes)) {}

  // Goes through one message, up to the current limit of the stream. False if
  // it is malformed; also, early, when there is too much of something.
  // Recursion ends: no kind of message holds itself.
  bool Message(Kind kind) {
    while (const std::uint32_t tag = stream_.ReadTag()) {
      const Kind held = HeldBy(kind, WireFormatLite::GetTagFieldNumber(tag));
      const bool is_delimited = WireFormatLite::GetTagWireType(tag) ==
                                WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
      const bool good = is_delimited ? Delimited(held, tag) : Plain(held, tag);
      if (!good || HasTooMany()) {
        return false;
      }
    }
    return stream_.ConsumedEntireMessage();
  }

  bool HasTooMany() const { return !CheckLimits().ok(); }
  absl::Status CheckLimits() const {
    if (messages_ > kMaxMessages) {
      return absl::InvalidArgumentError(fmt::format(
          "more than {} nodes, names, attributes and tensors: too much for a "
          "model that is served",
          kMaxMessages));
    }
    if (number_bytes_ > kMaxNumberBytes) {
      return absl::InvalidArgumentError(fmt::format(
          "more than {} integers in attributes and dimensions, and elements "
          "that are not packed: export weights as raw data",
          kMaxNumberBytes / sizeof(std::int64_t)));
    }
    if (is_too_long_ || outline_.size() > most_bytes_) {
      return absl::InvalidArgumentError(fmt::format(
          "more than {} bytes that are not elements of tensors: export weights "
          "as tensors",
          most_bytes_));
    }
    return absl::OkStatus();
  }
  // What the parsed numbers of tensors take, without raw data.
  std::size_t data_bytes() const { return data_bytes_; }
  std::string TakeOutline() { return outline_.Take(); }

 private:
  bool Plain(Kind held, std::uint32_t tag) {
    if (held == Kind::kUnknown) {
      return WireFormatLite::SkipField(&stream_, tag);
    }
    std::uint64_t value = 0;
    switch (WireFormatLite::GetTagWireType(tag)) {
      case WireFormatLite::WIRETYPE_VARINT:
        if (!stream_.ReadVarint64(&value)) {
          return false;
        }
        outline_.Varint(tag);
        outline_.Varint(value);
        break;
      case WireFormatLite::WIRETYPE_FIXED32:
        outline_.Varint(tag);
        if (!stream_.ReadRaw(outline_.Extend(4), 4)) {
          return false;
        }
        break;
      case WireFormatLite::WIRETYPE_FIXED64:
        outline_.Varint(tag);
        if (!stream_.ReadRaw(outline_.Extend(8), 8)) {
          return false;
        }
        break;
      default:
        return WireFormatLite::SkipField(&stream_, tag);
    }
    if (held == Kind::kInts || IsData(held)) {
      number_bytes_ += sizeof(std::int64_t);
    }
    return true;
  }

  bool Delimited(Kind held, std::uint32_t tag) {
    int length = 0;
    if (WireFormatLite::GetTagFieldNumber(tag) == 0 ||
        !stream_.ReadVarintSizeAsInt(&length) || length > Left()) {
      return false;
    }
    if (IsData(held)) {
      return Data(held, WireFormatLite::GetTagFieldNumber(tag), length);
    }
    if (held == Kind::kUnknown) {
      return stream_.Skip(length);
    }
    messages_ += held == Kind::kPlain || held == Kind::kInts ? 0 : 1;
    outline_.Varint(tag);
    const std::size_t begin = outline_.Begin();
    const bool good = Content(held, length);
    outline_.End(begin);
    return good;
  }

  // The bytes from here on, up to the end of the message around.
  int Left() {
    const int until_limit = stream_.BytesUntilLimit();
    return until_limit >= 0 ? until_limit : size_ - stream_.CurrentPosition();
  }

  bool Content(Kind held, int length) {
    if (held == Kind::kCounted) {
      return stream_.Skip(length);
    }
    if (IsMessage(held)) {
      const CodedInputStream::Limit outer = stream_.PushLimit(length);
      const bool good = Message(held);
      stream_.PopLimit(outer);
      return good;
    }
    const auto size = static_cast<std::size_t>(length);
    if (outline_.size() + size > most_bytes_) {
      is_too_long_ = true;
      return false;
    }
    char* const content = outline_.Extend(size);
    if (!stream_.ReadRaw(content, length)) {
      return false;
    }
    if (held == Kind::kInts) {
      number_bytes_ += sizeof(std::int64_t) * CountVarints({content, size});
    }
    return true;
  }

  // Notes where elements are, and how many.
  bool Data(Kind held, int number, int length) {
    onnx::TensorProto::Stretch stretch;
    stretch.set_field(number);
    stretch.set_offset_bytes(stream_.CurrentPosition());
    stretch.set_length_bytes(length);
    const std::optional<std::size_t> elements =
        held == Kind::kData ? SkipFixed(number, length) : SkipVarints(length);
    if (!elements) {
      return false;
    }
    stretch.set_elements(static_cast<std::int64_t>(*elements));
    if (held != Kind::kData) {
      data_bytes_ += *elements * (held == Kind::kInts32 ? 4 : 8);
    }
    ++messages_;
    outline_.Varint(
        WireFormatLite::MakeTag(onnx::TensorProto::kLeftInFileFieldNumber,
                                WireFormatLite::WIRETYPE_LENGTH_DELIMITED));
    const std::size_t begin = outline_.Begin();
    outline_.Append(stretch.SerializeAsString());
    outline_.End(begin);
    return true;
  }

  std::optional<std::size_t> SkipFixed(int number, int length) {
    const int size = number == onnx::TensorProto::kFloatDataFieldNumber    ? 4
                     : number == onnx::TensorProto::kDoubleDataFieldNumber ? 8
                                                                           : 1;
    if (length % size != 0 || !stream_.Skip(length)) {
      return std::nullopt;
    }
    return static_cast<std::size_t>(length / size);
  }

  std::optional<std::size_t> SkipVarints(int length) {
    std::size_t count = 0;
    bool is_whole = true;
    while (length > 0) {
      const void* data = nullptr;
      int size = 0;
      if (!stream_.GetDirectBufferPointer(&data, &size)) {
        return std::nullopt;
      }
      size = std::min(size, length);
      const std::string_view bytes(static_cast<const char*>(data),
                                   static_cast<std::size_t>(size));
      count += CountVarints(bytes);
      is_whole = EndsVarint(bytes.back());
      length -= size;
      if (!stream_.Skip(size)) {
        return std::nullopt;
      }
    }
    return is_whole ? std::optional(count) : std::nullopt;
  }

  static bool EndsVarint(char byte) {
    return (static_cast<unsigned char>(byte) & 0x80U) == 0;
  }
  static std::size_t CountVarints(std::string_view bytes) {
    return static_cast<std::size_t>(std::ranges::count_if(bytes, &EndsVarint));
  }

  int size_;
  std::size_t most_bytes_;
  CodedInputStream stream_;
  Writer outline_;
  std::size_t messages_ = 0;
  std::size_t number_bytes_ = 0;  // What the parsed numbers take.
  std::size_t data_bytes_ = 0;
  bool is_too_long_ = false;
};

absl::Status Run(Scan& scan) {
  const bool is_good = scan.Message(Kind::kModel);
  RETURN_IF_ERROR(scan.CheckLimits());
  return is_good ? absl::OkStatus()
                 : absl::InvalidArgumentError(
                       "not an ONNX file: damaged, cut "
                       "short or of another format");
}

}  // namespace

absl::StatusOr<std::string> OutlineOnnx(ZeroCopyInputStream& bytes,
                                        std::size_t size) {
  Scan scan(bytes, size);
  RETURN_IF_ERROR(Run(scan));
  return scan.TakeOutline();
}

absl::Status CheckOnnxWire(std::string_view bytes) {
  ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
  Scan scan(stream, bytes.size());
  RETURN_IF_ERROR(Run(scan));
  return scan.data_bytes() > kMinDataBytes + 2 * bytes.size()
             ? absl::InvalidArgumentError(
                   "too many numbers that are not raw data: export weights as "
                   "raw data")
             : absl::OkStatus();
}

}  // namespace relu
