// Where the rows of `reluctl infer` come from: files or standard input.

#ifndef CLIENT_CLI_ROW_SOURCE_H_
#define CLIENT_CLI_ROW_SOURCE_H_

#include <iosfwd>

#include "absl/status/statusor.h"

#include "client/cli/infer_command.h"
#include "client/cli/rows.h"

namespace relu {

// Reads what `options` name, of at least one row and at most options.max_rows.
// Errors name the file and the place in it, or the option; all mean that the
// user must change one of these.
absl::StatusOr<Rows> ReadRows(const InferOptions& options,
                              const ModelInputs& inputs,
                              std::istream& standard_input);

}  // namespace relu

#endif  // CLIENT_CLI_ROW_SOURCE_H_
