// `reluctl inspect`: what is in an ONNX file, and what relud would run for it.

#ifndef CLIENT_CLI_INSPECT_COMMAND_H_
#define CLIENT_CLI_INSPECT_COMMAND_H_

#include <string>
#include <vector>

#include "client/cli/outcome.h"

namespace relu {

struct InspectOptions {
  std::string file;
  // Rows of which to tell what the network does, and their label column; empty:
  // none.
  std::string rows;
  std::string label;
  // Bounds of each float of the inputs for which something is proven; by
  // default, if there are rows, their range.
  std::vector<double> box;
  // The domain of the inputs instead of a box, INPUT=RULES for each, as the
  // parameters "input_domain.INPUT" of a config.pbtxt have it.
  std::vector<std::string> domain = {};
  // Files to write: a page with plots, and the model without what it can do
  // without; empty: none.
  std::string report;
  std::string compact;
  // Inputs that are zero in every row are something it can do without.
  bool drops_zero_inputs = false;
  bool json = false;  // Print JSON, not tables.
};

// Loads the file as a server does, self-check included, and needs no server.
// kWrongInput, with the reason, if a server would refuse it, the rows or the
// box do not fit it, or a file cannot be written.
Outcome RunInspect(const InspectOptions& options);

}  // namespace relu

#endif  // CLIENT_CLI_INSPECT_COMMAND_H_
