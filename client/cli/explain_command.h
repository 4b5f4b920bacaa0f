// `reluctl explain`: shows what each input contributes to a model's answers.

#ifndef CLIENT_CLI_EXPLAIN_COMMAND_H_
#define CLIENT_CLI_EXPLAIN_COMMAND_H_

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "client/cli/outcome.h"
#include "client/cli/row_source.h"
#include "client/explain.h"
#include "client/inference_client.h"

namespace relu {

struct ExplainCommandOptions : RowOptions {
  std::string model;
  std::string version;  // Empty: the latest.
  // A file of rows like the input, without labels: one, or one for each row;
  // empty: none.
  std::string baseline;
  std::string output;                  // Empty: the first of floats.
  std::vector<std::int64_t> elements;  // Empty: the largest of each row.
  std::string method = "gradient";     // Or "integrated", "exact".
  std::uint32_t top_k = 5;             // 0: all.
  std::int64_t batch_rows = 64;        // Rows in one request, at most.
  bool json = false;                   // Print JSON, not a table.
};

// `standard_input` is read if an option says so.
Outcome RunExplain(InferenceClient& client,
                   const ExplainCommandOptions& options,
                   std::istream& standard_input);

}  // namespace relu

#endif  // CLIENT_CLI_EXPLAIN_COMMAND_H_
