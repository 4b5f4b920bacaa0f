// Splits a request of many rows into requests of a few, and joins the answers.

#ifndef CLIENT_ROW_BATCHES_H_
#define CLIENT_ROW_BATCHES_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"

#include "client/infer_request.h"
#include "client/infer_result.h"

namespace relu {

// Requests of at most `max_rows` rows each, with the rows of `request` in their
// order. They borrow its tensors. INVALID_ARGUMENT, naming the input, if the
// inputs have not the same number of rows, or bytes that do not fit their shape
// or have no fixed size (BYTES).
absl::StatusOr<std::vector<InferRequest>> SplitRows(const InferRequest& request,
                                                    std::int64_t max_rows);

// The answers to requests of `rows[i]` rows as one. INTERNAL, naming the
// output, if one has not a row for each of these, or they differ in their
// outputs.
absl::StatusOr<InferResult> JoinRows(const std::vector<InferResult>& results,
                                     const std::vector<std::int64_t>& rows);

}  // namespace relu

#endif  // CLIENT_ROW_BATCHES_H_
