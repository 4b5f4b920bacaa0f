#include "client/cli/inspect_command.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "client/cli/inspect_report.h"
#include "client/cli/network_report.h"
#include "client/cli/outcome.h"
#include "client/cli/row_source.h"
#include "client/cli/rows.h"
#include "client/inference_client.h"
#include "core/base/status_macros.h"
#include "core/graph/graph.h"
#include "core/graph/onnx_import.h"
#include "core/plan/compiled_model.h"
#include "core/plan/self_check.h"
#include "core/relu/domain_rule.h"
#include "core/relu/input_domain.h"
#include "core/relu/leaf_box.h"
#include "core/relu/leaf_rows.h"
#include "core/relu/piecewise_network.h"
#include "core/relu/value_bounds.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"
#include "fmt/format.h"

namespace relu {
namespace {

// What a server would tell of the model.
ModelMetadata MetadataOf(const Graph& graph) {
  ModelMetadata metadata;
  for (const ValueId id : graph.inputs) {
    const Value& value = graph.values[id];
    metadata.inputs.push_back(
        {.name = value.name,
         .datatype = std::string(DataTypeName(value.type)),
         .shape = value.shape});
  }
  return metadata;
}

absl::StatusOr<InputRows> ReadNetworkRows(const InspectOptions& options,
                                          const Graph& graph,
                                          const PiecewiseNetwork& network) {
  ASSIGN_OR_RETURN(const ModelInputs inputs, InputsOf(MetadataOf(graph)));
  RowOptions row_options;
  row_options.input = options.rows;
  row_options.label = options.label;
  std::istringstream none;
  ASSIGN_OR_RETURN(const Rows rows, ReadRows(row_options, inputs, none));
  std::vector<Tensor> tensors;
  for (const RowTensor& tensor : rows.inputs) {
    tensors.emplace_back(tensor.type, tensor.ShapeOf(rows.count));
    std::ranges::copy(tensor.RowBytes(0, rows.count),
                      tensors.back().bytes().begin());
  }
  return ReadInputRows(network, tensors, "row");
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

absl::Status AddDomain(const InspectOptions& options,
                       const CompiledModel& model, NetworkReport& report) {
  if (!options.box.empty()) {
    return absl::InvalidArgumentError(
        "--box and --domain are given, wanted is one of them");
  }
  std::vector<InputRules> inputs;
  for (const std::string& text : options.domain) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) {
      return absl::InvalidArgumentError(
          fmt::format("--domain {}: wanted is INPUT=RULES", text));
    }
    ASSIGN_OR_RETURN(
        std::vector<DomainRule> rules,
        ParseDomainRules(std::string_view(text).substr(equals + 1)));
    inputs.push_back(
        {.input = text.substr(0, equals), .rules = std::move(rules)});
  }
  ASSIGN_OR_RETURN(const InputDomain domain,
                   InputDomain::Create(inputs, model.inputs()));
  ASSIGN_OR_RETURN(const InputBox box, domain.BoxOf(report.network()));
  return report.AddBox(box, "of the domain");
}

absl::StatusOr<NetworkReport> InspectNetwork(const InspectOptions& options,
                                             const Graph& graph,
                                             const CompiledModel& model) {
  ASSIGN_OR_RETURN(NetworkReport report, NetworkReport::Of(graph));
  std::optional<InputRows> rows;
  if (!options.rows.empty()) {
    ASSIGN_OR_RETURN(rows, ReadNetworkRows(options, graph, report.network()));
    RETURN_IF_ERROR(report.AddRows(*rows));
  }
  RETURN_IF_ERROR(options.domain.empty() ? AddBox(options, rows, report)
                                         : AddDomain(options, model, report));
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
  const auto network = InspectNetwork(options, *graph, *model);
  if (!network.ok() && !absl::IsUnimplemented(network.status())) {
    return WrongInput(network.status());
  }
  return {.code = ExitCode::kOk,
          .out = options.json ? InspectionJson(*graph, *model, network)
                              : InspectionText(*graph, *model, network),
          .err = {}};
}

}  // namespace relu
