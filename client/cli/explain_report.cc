#include "client/cli/explain_report.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/rows.h"
#include "client/cli/table.h"
#include "client/explain.h"
#include "fmt/format.h"
#include <nlohmann/json.hpp>

namespace relu {
namespace {

using ExplainJson = nlohmann::ordered_json;

std::string SixDigits(double value) { return fmt::format("{:.6g}", value); }

std::string Signed(double value) { return fmt::format("{:+.6g}", value); }

}  // namespace

ExplainReport::ExplainReport(ExplainResult result, const ModelInputs& inputs,
                             const std::vector<std::string>& columns,
                             bool has_baseline)
    : result_(std::move(result)),
      inputs_(inputs),
      columns_(columns),
      has_baseline_(has_baseline) {}

std::string ExplainReport::FeatureOf(
    const InputContribution& contribution) const {
  auto column = static_cast<std::size_t>(contribution.element);
  for (const ModelInput& input : inputs_.inputs) {
    if (input.name == contribution.input && column < columns_.size()) {
      return columns_[column];
    }
    column += static_cast<std::size_t>(input.row_elements.value_or(0));
  }
  return fmt::format("{}[{}]", contribution.input, contribution.element);
}

std::string ExplainReport::Heading(const ExplainedElement& explained) const {
  std::string text =
      fmt::format("row {}: {}[{}] = {}", explained.row, result_.output,
                  explained.element, SixDigits(explained.answer));
  if (!result_.link.empty()) {
    text += fmt::format(", {} of {}", result_.link, SixDigits(explained.value));
  }
  if (has_baseline_) {
    text += fmt::format(", baseline {}", SixDigits(explained.baseline_value));
  } else {
    text += fmt::format(", intercept {}", SixDigits(explained.intercept));
  }
  if (explained.kinks > 0) {
    text += fmt::format(", {} activations at a kink", explained.kinks);
  }
  if (explained.pieces > 0) {
    text += fmt::format(", {} pieces", explained.pieces);
  }
  return text + "\n";
}

std::string ExplainReport::Contributions(
    const ExplainedElement& explained) const {
  std::vector<TableRow> rows;
  double rest =
      explained.value - explained.remainder -
      (has_baseline_ ? explained.baseline_value : explained.intercept);
  for (const InputContribution& contribution : explained.contributions) {
    rest -= contribution.contribution;
    rows.push_back({FeatureOf(contribution), SixDigits(contribution.value),
                    has_baseline_ ? SixDigits(contribution.baseline) : "",
                    Signed(contribution.contribution)});
  }
  std::size_t features = 0;
  for (const ModelInput& input : inputs_.inputs) {
    features += static_cast<std::size_t>(input.row_elements.value_or(0));
  }
  const std::size_t others = features - std::min(features, rows.size());
  if (others > 0) {
    rows.push_back({fmt::format("({} others)", others), "", "", Signed(rest)});
  }
  if (has_baseline_) {
    rows.push_back({"(not explained)", "", "", Signed(explained.remainder)});
  }
  return FormatTable(
      {"feature", "value", has_baseline_ ? "baseline" : "", "contribution"},
      rows);
}

std::string ExplainReport::Table() const {
  std::string text;
  for (const ExplainedElement& explained : result_.explanations) {
    text += text.empty() ? "" : "\n";
    text += Heading(explained) + Contributions(explained);
  }
  return text;
}

std::string ExplainReport::Json() const {
  ExplainJson explanations = ExplainJson::array();
  for (const ExplainedElement& explained : result_.explanations) {
    ExplainJson contributions = ExplainJson::array();
    for (const InputContribution& one : explained.contributions) {
      contributions.push_back({{"feature", FeatureOf(one)},
                               {"input", one.input},
                               {"element", one.element},
                               {"value", one.value},
                               {"baseline", one.baseline},
                               {"gradient", one.gradient},
                               {"contribution", one.contribution}});
    }
    explanations.push_back({{"row", explained.row},
                            {"element", explained.element},
                            {"value", explained.value},
                            {"answer", explained.answer},
                            {"baseline_value", explained.baseline_value},
                            {"intercept", explained.intercept},
                            {"remainder", explained.remainder},
                            {"kinks", explained.kinks},
                            {"pieces", explained.pieces},
                            {"contributions", std::move(contributions)}});
  }
  const ExplainJson json = {{"model_name", result_.model_name},
                            {"model_version", result_.model_version},
                            {"output", result_.output},
                            {"explained", result_.explained},
                            {"link", result_.link},
                            {"explanations", std::move(explanations)}};
  return json.dump() + "\n";
}

}  // namespace relu
