// Where the rows that reluctl sends come from: files or standard input.

#ifndef CLIENT_CLI_ROW_SOURCE_H_
#define CLIENT_CLI_ROW_SOURCE_H_

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "client/cli/rows.h"

namespace relu {

struct RowOptions {
  std::string input = "-";  // A file; "-": standard input.
  std::string format;       // "csv", "json", "npy"; empty: by the name.
  std::vector<std::string> named_inputs;  // "NAME=FILE" of a .npy file each.
  std::string label;  // The column of the true label; empty: none.
  std::optional<std::int64_t> max_rows;  // Rows to send; nullopt: all.
};

// Reads what `options` name, of at least one row and at most options.max_rows.
// Errors name the file and the place in it, or the option; all mean that the
// user must change one of these.
absl::StatusOr<Rows> ReadRows(const RowOptions& options,
                              const ModelInputs& inputs,
                              std::istream& standard_input);

}  // namespace relu

#endif  // CLIENT_CLI_ROW_SOURCE_H_
