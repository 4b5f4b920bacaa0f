// The values of a tensor between JSON and the bytes that they have on the wire.

#ifndef SERVER_JSON_TENSOR_H_
#define SERVER_JSON_TENSOR_H_

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace relu {

// Appends the elements of the list `data`, which is flat, or nested as `shape`
// says, to `values`. Errors:
//   INVALID_ARGUMENT    the datatype is unknown, or cannot be written as JSON
//                       (FP16, BF16); the elements are not as many as the shape
//                       has; one is of the wrong type or out of range
//   RESOURCE_EXHAUSTED  the values would take more than `max_bytes`
absl::Status JsonToTensor(simdjson::ondemand::value data,
                          std::string_view datatype,
                          std::span<const std::int64_t> shape,
                          std::size_t max_bytes, std::string& values);

// Appends the elements in `values` as a flat list to `json`. Numbers are the
// shortest that are read as the same value. Errors:
//   INVALID_ARGUMENT    JSON cannot hold them: FP16 and BF16, and what is not
//                       finite
//   RESOURCE_EXHAUSTED  `json` would be longer than about `max_bytes`
absl::Status TensorToJson(std::string_view values, std::string_view datatype,
                          std::size_t max_bytes, std::string& json);

}  // namespace relu

#endif  // SERVER_JSON_TENSOR_H_
