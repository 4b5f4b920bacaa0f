// `reluctl rank`: shows which items score best beside what they share.

#ifndef CLIENT_CLI_RANK_COMMAND_H_
#define CLIENT_CLI_RANK_COMMAND_H_

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

// The rows are the items.
struct RankCommandOptions : RowOptions {
  std::string model;
  std::string version;  // Empty: the latest.
  // A file of one row, without a label.
  std::string shared;
  // What that row has: these inputs, whole, and so many features of others:
  // "NAME=N", or "N" if the model has one input.
  std::vector<std::string> shared_inputs;
  std::vector<std::string> shared_features;
  std::string output;                    // Empty: the first of floats.
  std::optional<std::uint32_t> element;  // Of a row of the output.
  std::uint32_t top_k = 10;              // 0: all, in their order.
  OutputForm form = OutputForm::kTable;
};

// `standard_input` is read if an option says so.
Outcome RunRank(InferenceClient& client, const RankCommandOptions& options,
                std::istream& standard_input);

}  // namespace relu

#endif  // CLIENT_CLI_RANK_COMMAND_H_
