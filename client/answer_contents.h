// The typed fields of InferTensorContents as the bytes that raw contents would
// hold: KServe and MLServer answer with typed contents.

#ifndef CLIENT_ANSWER_CONTENTS_H_
#define CLIENT_ANSWER_CONTENTS_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "proto/inference.pb.h"

namespace relu {

// Row-major, little-endian. BYTES: each element after its length in 4 bytes.
// INTERNAL if a value does not fit `datatype`, or the protocol has no typed
// field for it. The caller checks the number of elements.
absl::StatusOr<std::string> BytesOfTypedContents(
    std::string_view datatype, const inference::InferTensorContents& contents);

}  // namespace relu

#endif  // CLIENT_ANSWER_CONTENTS_H_
