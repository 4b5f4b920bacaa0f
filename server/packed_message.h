// Messages that clients have packed, which gRPC would unpack whatever they
// become: of 3 MB, 3 GB.

#ifndef SERVER_PACKED_MESSAGE_H_
#define SERVER_PACKED_MESSAGE_H_

#include <cstddef>

#include "absl/status/status.h"
#include "grpcpp/support/byte_buffer.h"

namespace relu {

// Unpacks `message` if it is packed by gzip or deflate, as `grpc-encoding`
// calls them. gRPC does not say which are, but their first bytes do: no message
// that the server reads begins so. Of what is malformed, or becomes longer than
// `max_bytes`, no more than a piece is held. Errors: INVALID_ARGUMENT,
// RESOURCE_EXHAUSTED.
absl::Status UnpackMessage(std::size_t max_bytes, grpc::ByteBuffer& message);

}  // namespace relu

#endif  // SERVER_PACKED_MESSAGE_H_
