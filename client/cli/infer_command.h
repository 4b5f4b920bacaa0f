// `reluctl infer`: sends rows to a model and shows what it answers.

#ifndef CLIENT_CLI_INFER_COMMAND_H_
#define CLIENT_CLI_INFER_COMMAND_H_

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "client/cli/outcome.h"
#include "client/cli/output_form.h"
#include "client/cli/row_source.h"
#include "client/inference_client.h"

namespace relu {

struct InferOptions : RowOptions {
  std::string model;
  std::string version;                    // Empty: the latest.
  OutputForm form = OutputForm::kTable;   // How to print.
  std::optional<std::int64_t> show_rows;  // Rows to print; nullopt: all.
  std::int64_t batch_rows = 64;           // Rows in one request, at most.
  std::vector<std::string> outputs;       // Empty: all.
};

// `standard_input` is read if an option says so.
Outcome RunInfer(InferenceClient& client, const InferOptions& options,
                 std::istream& standard_input);

}  // namespace relu

#endif  // CLIENT_CLI_INFER_COMMAND_H_
