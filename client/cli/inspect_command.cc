#include "client/cli/inspect_command.h"

#include <cstddef>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "client/cli/inspect_report.h"
#include "client/cli/model_compaction.h"
#include "client/cli/model_rows.h"
#include "client/cli/network_report.h"
#include "client/cli/outcome.h"
#include "client/cli/row_source.h"
#include "core/base/status_macros.h"
#include "core/graph/elements.h"
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
// of their type.
absl::StatusOr<InputBox> BoxOfFloats(const CompiledModel& model,
                                     const PiecewiseNetwork& network,
                                     const std::vector<double>& bounds,
                                     const std::optional<InputRows>& rows) {
  if (bounds.size() != 2) {
    return absl::InvalidArgumentError(fmt::format(
        "--box: {} numbers, wanted are 2: LOW,HIGH", bounds.size()));
  }
  std::vector<InputRules> rules;
  for (const NetworkInput& input : network.inputs) {
    if (IsFloatingPoint(input.type)) {
      rules.push_back({.input = input.name,
                       .rules = {{.low = bounds[0], .high = bounds[1]}}});
    }
  }
  ASSIGN_OR_RETURN(const InputDomain domain,
                   InputDomain::Create(rules, model.inputs()));
  ASSIGN_OR_RETURN(InputBox box, domain.BoxOf(network));
  if (!rows.has_value()) {
    return box;
  }
  const InputBox of_rows = BoxOf(network, *rows);
  for (const NetworkInput& input : network.inputs) {
    const bool is_float = IsFloatingPoint(input.type);
    for (std::size_t i = 0; !is_float && i < input.elements; ++i) {
      const std::size_t at = input.first_element + i;
      box.low[at] = of_rows.low[at];
      box.high[at] = of_rows.high[at];
    }
  }
  return box;
}

// What --domain says of the inputs.
absl::StatusOr<InputBox> BoxOfDomain(const InspectOptions& options,
                                     const CompiledModel& model,
                                     const PiecewiseNetwork& network) {
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
  return domain.BoxOf(network);
}

// One run of the command on a file that a server would take.
class Inspector {
 public:
  Inspector(const InspectOptions& options, const Graph& graph,
            const CompiledModel& model)
      : options_(options), graph_(graph), model_(model) {}

  // What to print.
  absl::StatusOr<std::string> Run() {
    const auto network = InspectNetwork();
    if (!network.ok() && !absl::IsUnimplemented(network.status())) {
      return network.status();
    }
    const CompactionFacts facts = {
        .network = network.ok() ? &network->network() : nullptr,
        .box = box_.has_value() ? &*box_ : nullptr,
        .bounds = network.ok() && network->bounds().has_value()
                      ? &*network->bounds()
                      : nullptr,
        .rows = rows_.has_value() ? &*rows_ : nullptr,
        .drops_zero_inputs = options_.drops_zero_inputs};
    auto compaction = ModelCompaction::Of(options_.file, model_, facts);
    if (!options_.compact.empty()) {
      RETURN_IF_ERROR(compaction.status());
      RETURN_IF_ERROR(compaction->Write(options_.compact, model_, facts));
    }
    const Inspection inspection = {.file = options_.file,
                                   .graph = graph_,
                                   .model = model_,
                                   .network = network,
                                   .compaction = compaction};
    if (!options_.report.empty()) {
      RETURN_IF_ERROR(WritePage(inspection));
    }
    return options_.json ? InspectionJson(inspection)
                         : InspectionText(inspection);
  }

 private:
  absl::StatusOr<NetworkReport> InspectNetwork() {
    ASSIGN_OR_RETURN(NetworkReport report, NetworkReport::Of(graph_));
    if (!options_.rows.empty()) {
      ASSIGN_OR_RETURN(rows_,
                       ReadNetworkRows(options_, graph_, report.network()));
      RETURN_IF_ERROR(report.AddRows(*rows_, model_.report()));
    }
    RETURN_IF_ERROR(AddBox(report));
    return report;
  }

  absl::Status AddBox(NetworkReport& report) {
    if (!options_.domain.empty()) {
      ASSIGN_OR_RETURN(box_, BoxOfDomain(options_, model_, report.network()));
      return report.AddBox(*box_, "of the domain");
    }
    if (!options_.box.empty()) {
      ASSIGN_OR_RETURN(
          box_, BoxOfFloats(model_, report.network(), options_.box, rows_));
      return report.AddBox(
          *box_, fmt::format("of floats from {} to {}", options_.box[0],
                             options_.box[1]));
    }
    if (rows_.has_value()) {
      box_ = BoxOf(report.network(), *rows_);
      return report.AddBox(*box_, "in the range of the rows");
    }
    return absl::OkStatus();
  }

  absl::Status WritePage(const Inspection& inspection) const {
    std::ofstream stream(options_.report, std::ios::binary);
    stream << InspectionPage(inspection);
    stream.close();
    return stream.good()
               ? absl::OkStatus()
               : absl::InvalidArgumentError(fmt::format(
                     "{}: the report cannot be written", options_.report));
  }

  const InspectOptions& options_;
  const Graph& graph_;
  const CompiledModel& model_;
  std::optional<InputRows> rows_;
  std::optional<InputBox> box_;
};

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
  absl::StatusOr<std::string> text = Inspector(options, *graph, *model).Run();
  if (!text.ok()) {
    return WrongInput(text.status());
  }
  return {.code = ExitCode::kOk, .out = *std::move(text), .err = {}};
}

}  // namespace relu
