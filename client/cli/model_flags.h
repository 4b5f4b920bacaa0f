// Options that several commands of reluctl have: the model that is called, and
// the rows that are sent.

#ifndef CLIENT_CLI_MODEL_FLAGS_H_
#define CLIENT_CLI_MODEL_FLAGS_H_

#include <cstdint>
#include <string>

#include "client/cli/row_source.h"

namespace CLI {
class App;
}  // namespace CLI

namespace relu {

// Any number that a person may give for a count.
inline constexpr std::int64_t kMostRows = 1'000'000'000'000;

void AddVersion(CLI::App& command, std::string& version);

// The model's name, which must be given, and --version.
void AddServedModel(CLI::App& command, std::string& model,
                    std::string& version);

// What --help says of what differs.
struct RowTexts {
  std::string input = "The rows: a CSV, JSON or .npy file; - is standard input";
  std::string named_inputs =
      "The rows of one input as a .npy file; once for each input";
  std::string label;
  std::string limit;
};

// --input, --format, --input-name, --label and --limit.
void AddRows(CLI::App& command, RowOptions& rows, const RowTexts& texts);

void AddLabel(CLI::App& command, std::string& label, const std::string& text);

// --batch; 64 unless it is given.
void AddBatchRows(CLI::App& command, std::int64_t& batch_rows);

// --output-name; `text` says what for.
void AddOutputName(CLI::App& command, std::string& output,
                   const std::string& text);

}  // namespace relu

#endif  // CLIENT_CLI_MODEL_FLAGS_H_
