// Server reflection (grpc.reflection.v1 and v1alpha): tells generic clients
// which services there are and what their messages look like.

#ifndef SERVER_REFLECTION_H_
#define SERVER_REFLECTION_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace relu {

// Answers one ServerReflectionRequest with one ServerReflectionResponse; the
// two versions of the protocol have the same bytes. What cannot be found is
// an answer that says so. INVALID_ARGUMENT if the bytes are no request.
// Thread-safe.
absl::StatusOr<std::string> Reflect(std::string_view request);

}  // namespace relu

#endif  // SERVER_REFLECTION_H_
