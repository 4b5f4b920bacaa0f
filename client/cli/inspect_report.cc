#include "client/cli/inspect_report.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/inspect_report_html.h"  // Made of inspect_report.html.
#include "client/cli/model_compaction.h"
#include "client/cli/network_report.h"
#include "client/cli/page.h"
#include "client/cli/table.h"
#include "core/graph/graph.h"
#include "core/plan/compiled_model.h"
#include "core/plan/plan_report.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"
#include "fmt/ranges.h"
#include <nlohmann/json.hpp>

namespace relu {
namespace {

using OrderedJson = nlohmann::ordered_json;

std::string TypeAndShape(const Value& value) {
  return fmt::format("{} {}", DataTypeName(value.type), ShapeText(value.shape));
}

// The values of a node that are there.
std::vector<const Value*> ValuesOf(const Graph& graph,
                                   std::span<const ValueId> ids) {
  std::vector<const Value*> values;
  for (const ValueId id : ids) {
    if (id != kNoValue) {
      values.push_back(&graph.values[id]);
    }
  }
  return values;
}

std::string ValuesText(const Graph& graph, std::span<const ValueId> ids) {
  std::vector<std::string> texts;
  for (const Value* value : ValuesOf(graph, ids)) {
    texts.push_back(fmt::format("{}{} {}", value->name,
                                value->constant != nullptr ? " (constant)" : "",
                                TypeAndShape(*value)));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

// 0 is left out: most steps have no parameters.
std::string CountText(std::int64_t number) {
  return number == 0 ? "" : fmt::format("{}", number);
}

std::string TensorsTable(const Graph& graph) {
  std::vector<TableRow> rows;
  for (const auto& [kind, ids] : {std::pair("input", &graph.inputs),
                                  std::pair("output", &graph.outputs)}) {
    for (const Value* value : ValuesOf(graph, *ids)) {
      rows.push_back({kind, value->name, std::string(DataTypeName(value->type)),
                      ShapeText(value->shape)});
    }
  }
  return FormatTable({"tensor", "name", "datatype", "shape"}, rows);
}

std::string NodesTable(const Graph& graph) {
  std::vector<TableRow> rows;
  for (const Node& node : graph.nodes) {
    rows.push_back({node.name, std::string(OperatorName(node.op)),
                    ValuesText(graph, node.inputs),
                    ValuesText(graph, node.outputs)});
  }
  return FormatTable({"node", "operator", "inputs", "outputs"}, rows);
}

std::string StepsTable(const PlanReport& report) {
  std::vector<TableRow> rows;
  for (const StepReport& step : report.steps) {
    rows.push_back({step.text,
                    step.nodes.empty() ? "" : ShapeText(step.row_shape),
                    CountText(step.parameters),
                    CountText(static_cast<std::int64_t>(step.constant_bytes)),
                    CountText(step.multiply_adds),
                    fmt::format("{}", fmt::join(step.nodes, " "))});
  }
  return FormatTable({"step", "row shape", "parameters", "constant bytes",
                      "multiply-adds", "nodes"},
                     rows);
}

OrderedJson JsonOf(const Graph& graph, std::span<const ValueId> ids) {
  OrderedJson values = OrderedJson::array();
  for (const Value* value : ValuesOf(graph, ids)) {
    values.push_back({{"name", value->name},
                      {"datatype", DataTypeName(value->type)},
                      {"shape", value->shape},
                      {"constant", value->constant != nullptr}});
  }
  return values;
}

OrderedJson JsonOfNodes(const Graph& graph) {
  OrderedJson nodes = OrderedJson::array();
  for (const Node& node : graph.nodes) {
    nodes.push_back({{"name", node.name},
                     {"operator", OperatorName(node.op)},
                     {"inputs", JsonOf(graph, node.inputs)},
                     {"outputs", JsonOf(graph, node.outputs)}});
  }
  return nodes;
}

OrderedJson JsonOfSteps(const PlanReport& report) {
  OrderedJson steps = OrderedJson::array();
  for (const StepReport& step : report.steps) {
    steps.push_back({{"step", step.text},
                     {"row_shape", step.row_shape},
                     {"parameters", step.parameters},
                     {"constant_bytes", step.constant_bytes},
                     {"multiply_adds", step.multiply_adds},
                     {"nodes", step.nodes}});
  }
  return steps;
}

}  // namespace

std::string InspectionText(const Inspection& inspection) {
  const auto& [file, graph, model, network, compaction] = inspection;
  const PlanReport& report = model.report();
  const PlanSize sums = SizeOf(report);
  std::string text = fmt::format(
      "{}\nGraph: {} nodes, constants folded\n{}\nPlan: {} steps\n{}",
      TensorsTable(graph), graph.nodes.size(), NodesTable(graph),
      report.steps.size(), StepsTable(report));
  if (!report.nodes_without_step.empty()) {
    text += fmt::format("\nNo step for: {}\n",
                        fmt::join(report.nodes_without_step, " "));
  }
  text += '\n';
  text += FormatTable(
      {"parameters", fmt::format("{}", sums.parameters)},
      {{"multiply-adds of a row", fmt::format("{}", sums.multiply_adds)},
       {"constant bytes", fmt::format("{}", model.weight_bytes())},
       {"workspace bytes of a row",
        fmt::format("{}", model.workspace_row_bytes())}});
  text += '\n';
  text += network.ok() ? network->Text()
                       : fmt::format("Network: no linear form: {}\n",
                                     std::string(network.status().message()));
  text += '\n';
  text += compaction.ok()
              ? compaction->Text()
              : fmt::format("Compaction: none: {}\n",
                            std::string(compaction.status().message()));
  return text;
}

std::string InspectionJson(const Inspection& inspection) {
  const auto& [file, graph, model, network, compaction] = inspection;
  const PlanSize sums = SizeOf(model.report());
  OrderedJson json = {{"file", file},
                      {"inputs", JsonOf(graph, graph.inputs)},
                      {"outputs", JsonOf(graph, graph.outputs)},
                      {"nodes", JsonOfNodes(graph)},
                      {"steps", JsonOfSteps(model.report())},
                      {"nodes_without_step", model.report().nodes_without_step},
                      {"parameters", sums.parameters},
                      {"multiply_adds", sums.multiply_adds},
                      {"constant_bytes", model.weight_bytes()},
                      {"workspace_row_bytes", model.workspace_row_bytes()}};
  if (network.ok()) {
    json["network"] = OrderedJson::parse(network->Json());
  }
  if (compaction.ok()) {
    json["compaction"] = OrderedJson::parse(compaction->Json());
  }
  // Names are checked to be UTF-8 by the import; whatever is not is replaced.
  return json.dump(-1, ' ', /*ensure_ascii=*/false,
                   OrderedJson::error_handler_t::replace) +
         "\n";
}

std::string InspectionPage(const Inspection& inspection) {
  return PageWith(kInspectReportHtml, InspectionJson(inspection));
}

}  // namespace relu
