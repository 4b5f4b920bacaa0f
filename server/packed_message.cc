#include "server/packed_message.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "grpcpp/support/slice.h"

#include "fmt/format.h"
#include "server/http/compression.h"

namespace relu {
namespace {

// The first two bytes: gzip's mark (RFC 1952), which as a tag of protobuf has a
// wire type that does not exist; or zlib's, of a window of 32 KiB and with its
// check (RFC 1950), which as a tag names field 15, that no request has.
bool IsPacked(std::uint8_t first, std::uint8_t second) {
  constexpr unsigned kZlib = 0x78;
  constexpr unsigned kCheck = 31;
  return (first == 0x1f && second == 0x8b) ||
         (first == kZlib && (first * 256U + second) % kCheck == 0);
}

// Every message passes here: nothing is copied, nor memory taken.
bool IsPacked(grpc::ByteBuffer& message) {
  std::array<std::uint8_t, 2> mark{};
  std::size_t count = 0;
  grpc::ProtoBufferReader reader(&message);
  const void* data = nullptr;
  int size = 0;
  while (count < mark.size() && reader.Next(&data, &size)) {
    const std::size_t some =
        std::min(mark.size() - count, static_cast<std::size_t>(size));
    std::memcpy(mark.data() + count, data, some);
    count += some;
  }
  return count == mark.size() && IsPacked(mark[0], mark[1]);
}

}  // namespace

absl::Status UnpackMessage(std::size_t max_bytes, grpc::ByteBuffer& message) {
  if (!IsPacked(message)) {
    return absl::OkStatus();
  }
  grpc::Slice slice;
  if (!message.DumpToSingleSlice(&slice).ok()) {
    return absl::InternalError("the request message could not be read");
  }
  const std::string_view packed(reinterpret_cast<const char*>(slice.begin()),
                                slice.size());
  const absl::StatusOr<std::size_t> bytes = UnpackedBytes(packed, max_bytes);
  if (absl::IsResourceExhausted(bytes.status())) {
    return absl::ResourceExhaustedError(fmt::format(
        "unpacked, the message of {} bytes is larger than the limit of {}",
        packed.size(), max_bytes));
  }
  if (!bytes.ok()) {
    return absl::InvalidArgumentError(fmt::format(
        "the message of {} bytes begins as a packed one and is none: expected "
        "one whole gzip or zlib stream",
        packed.size()));
  }
  const std::string text = Decompress(packed, *bytes);
  const grpc::Slice unpacked(text);
  message = grpc::ByteBuffer(&unpacked, 1);
  return absl::OkStatus();
}

}  // namespace relu
