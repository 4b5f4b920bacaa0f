// What `reluctl inspect` prints: a graph and its plan, as tables or as JSON.

#ifndef CLIENT_CLI_INSPECT_REPORT_H_
#define CLIENT_CLI_INSPECT_REPORT_H_

#include <string>

#include "absl/status/statusor.h"

#include "client/cli/model_compaction.h"
#include "client/cli/network_report.h"
#include "core/graph/graph.h"
#include "core/plan/compiled_model.h"

namespace relu {

// What was found. `model` is compiled from `graph`.
struct Inspection {
  const std::string& file;
  const Graph& graph;
  const CompiledModel& model;
  const absl::StatusOr<NetworkReport>& network;
  const absl::StatusOr<ModelCompaction>& compaction;
};

// Both name, in this order: inputs and outputs; the nodes of the graph with
// their operators and shapes; the steps of the plan with their shapes,
// parameters, bytes, multiply-adds for one row and the nodes that they stand
// for; the sums; the network, or why it has no linear form; what can be taken
// out of it, or why nothing can.
std::string InspectionText(const Inspection& inspection);

// One object, on one line.
std::string InspectionJson(const Inspection& inspection);

// The same as a page with plots, complete in itself.
std::string InspectionPage(const Inspection& inspection);

}  // namespace relu

#endif  // CLIENT_CLI_INSPECT_REPORT_H_
