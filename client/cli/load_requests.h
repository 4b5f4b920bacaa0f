// The requests of `reluctl load`: from rows of a file, or made up.

#ifndef CLIENT_CLI_LOAD_REQUESTS_H_
#define CLIENT_CLI_LOAD_REQUESTS_H_

#include <cstdint>
#include <iosfwd>

#include "absl/status/statusor.h"

#include "client/cli/load_options.h"
#include "client/cli/rows.h"
#include "client/inference_client.h"
#include "client/load/mix.h"

namespace relu {

// Asks the server what the models take, and encodes the requests. Errors of the
// server are as they come; INVALID_ARGUMENT if the options do not fit a model.
absl::StatusOr<load::Mix> MakeMix(InferenceClient& client,
                                  const LoadOptions& options,
                                  std::istream& standard_input);

// `count` rows of random values: floats of a normal distribution, integers and
// booleans of 0 and 1. INVALID_ARGUMENT if a size of a row is not fixed.
absl::StatusOr<Rows> MakeUpRows(const ModelInputs& inputs, std::int64_t count,
                                std::uint64_t seed);

}  // namespace relu

#endif  // CLIENT_CLI_LOAD_REQUESTS_H_
