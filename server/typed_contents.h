// The typed fields of a request's tensor (fp32_contents, int_contents, ...) as
// the bytes that the same tensor would have in raw_input_contents.

#ifndef SERVER_TYPED_CONTENTS_H_
#define SERVER_TYPED_CONTENTS_H_

#include <cstddef>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

#include "core/tensor/data_type.h"

namespace inference {
class InferTensorContents;
}

namespace relu {

// Returns the elements as values of `type`, row-major. A view of `contents`
// where both have the same form in memory; else `buffer` is filled and viewed.
// Errors, which the caller puts the tensor's name in front of:
// INVALID_ARGUMENT if the type has no typed field, elements lie in another
// type's field, or one is out of the type's range.
absl::StatusOr<std::span<const std::byte>> TypedContents(
    const inference::InferTensorContents& contents, DataType type,
    std::vector<std::byte>& buffer);

}  // namespace relu

#endif  // SERVER_TYPED_CONTENTS_H_
