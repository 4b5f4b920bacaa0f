// Reads rows from JSON.

#ifndef CLIENT_CLI_JSON_READER_H_
#define CLIENT_CLI_JSON_READER_H_

#include <string_view>

#include "absl/status/statusor.h"

#include "client/cli/rows.h"

namespace relu {

// Takes three forms:
//   [[5.1, 3.5], [4.9, 3.0]]             rows; a row holds the elements of the
//                                        inputs in their order, nested or not
//   {"dense": [[..], ..], "cat": ..}     rows for each input
//   {"inputs": [{"name": "x", "shape": [2,64], "datatype": "FP32",
//                "data": [..]}]}         the body of a V2 REST request, sent as
//                                        it is
// INVALID_ARGUMENT, naming the place, for anything else.
absl::StatusOr<Rows> ReadJson(std::string_view text, const ModelInputs& inputs);

}  // namespace relu

#endif  // CLIENT_CLI_JSON_READER_H_
