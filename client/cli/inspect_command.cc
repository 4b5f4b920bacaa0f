#include "client/cli/inspect_command.h"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "client/cli/inspect_report.h"
#include "client/cli/model_rows.h"
#include "client/cli/network_report.h"
#include "client/cli/outcome.h"
#include "client/cli/row_source.h"
#include "core/base/status_macros.h"
#include "core/graph/graph.h"
#include "core/graph/onnx_import.h"
#include "core/plan/compiled_model.h"
#include "core/plan/self_check.h"
#include "core/relu/leaf_box.h"
#include "core/relu/leaf_rows.h"
#include "core/relu/piecewise_network.h"
#include "core/relu/value_bounds.h"
#include "fmt/format.h"

namespace relu {
namespace {

absl::StatusOr<InputRows> ReadNetworkRows(const InspectOptions& options,
                                          const Graph& graph,
                                          const PiecewiseNetwork& network) {
  RowOptions row_options;
  row_options.input = options.rows;
  row_options.label = options.label;
  ASSIGN_OR_RETURN(const ModelRows rows, ReadModelRows(row_options, graph));
  return ReadInputRows(network, rows.inputs, "row");
}

// All floats are from box[0] to box[1]; integers are those of the rows, or any
// that a table has.
absl::Status AddBox(const InspectOptions& options,
                    const std::optional<InputRows>& rows,
                    NetworkReport& report) {
  const PiecewiseNetwork& network = report.network();
  if (options.box.empty()) {
    return rows.has_value() ? report.AddBox(BoxOf(network, *rows),
                                            "in the range of the rows")
                            : absl::OkStatus();
  }
  if (options.box.size() != 2) {
    return absl::InvalidArgumentError(fmt::format(
        "--box: {} numbers, wanted are 2: LOW,HIGH", options.box.size()));
  }
  // Beyond any table: all of it.
  constexpr double kAnyInteger = 0x1p40;
  InputBox box{
      .low = std::vector<double>(network.input_elements, -kAnyInteger),
      .high = std::vector<double>(network.input_elements, kAnyInteger)};
  if (rows.has_value()) {
    box = BoxOf(network, *rows);
  }
  for (const Leaf& leaf : network.leaves) {
    for (std::size_t i = 0; i < leaf.slot.size; ++i) {
      if (leaf.kind == Leaf::Kind::kInput) {
        box.low[leaf.ElementOf(i)] = options.box[0];
        box.high[leaf.ElementOf(i)] = options.box[1];
      }
    }
  }
  return report.AddBox(box, fmt::format("of floats from {} to {}",
                                        options.box[0], options.box[1]));
}

absl::StatusOr<NetworkReport> InspectNetwork(const InspectOptions& options,
                                             const Graph& graph) {
  ASSIGN_OR_RETURN(NetworkReport report, NetworkReport::Of(graph));
  std::optional<InputRows> rows;
  if (!options.rows.empty()) {
    ASSIGN_OR_RETURN(rows, ReadNetworkRows(options, graph, report.network()));
    RETURN_IF_ERROR(report.AddRows(*rows));
  }
  RETURN_IF_ERROR(AddBox(options, rows, report));
  return report;
}

}  // namespace

Outcome RunInspect(const InspectOptions& options) {
  const auto graph = ImportOnnx(options.file);
  if (!graph.ok()) {
    return WrongInput(graph.status());
  }
  const auto model = CompiledModel::Compile(*graph);
  if (!model.ok()) {
    return WrongInput(model.status());
  }
  if (const absl::Status status = SelfCheck(*graph, *model); !status.ok()) {
    return WrongInput(status);
  }
  const auto network = InspectNetwork(options, *graph);
  if (!network.ok() && !absl::IsUnimplemented(network.status())) {
    return WrongInput(network.status());
  }
  return {.code = ExitCode::kOk,
          .out = options.json ? InspectionJson(*graph, *model, network)
                              : InspectionText(*graph, *model, network),
          .err = {}};
}

}  // namespace relu
