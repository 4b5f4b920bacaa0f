// Reads rows from comma-separated text.

#ifndef CLIENT_CLI_CSV_READER_H_
#define CLIENT_CLI_CSV_READER_H_

#include <string_view>

#include "absl/status/statusor.h"

#include "client/cli/rows.h"

namespace relu {

// The column before the end of a line, whatever its name.
inline constexpr std::string_view kLastColumn = "last";

// The columns of a line are the elements of the model's inputs, in the order of
// the inputs. The first line may be a header: it is one if not all of it are
// numbers. `label`, if not empty, is the name of the column that holds the true
// label, or kLastColumn; it is not sent. Fields may stand in double quotes;
// blank lines, a byte order mark and carriage returns are skipped.
// INVALID_ARGUMENT, naming line and column, for anything else.
absl::StatusOr<Rows> ReadCsv(std::string_view text, const ModelInputs& inputs,
                             std::string_view label);

}  // namespace relu

#endif  // CLIENT_CLI_CSV_READER_H_
