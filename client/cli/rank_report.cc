#include "client/cli/rank_report.h"

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "client/cli/display_text.h"
#include "client/cli/number.h"
#include "client/cli/output_form.h"
#include "client/cli/table.h"
#include "client/rank.h"
#include "fmt/format.h"

namespace relu {
namespace {

std::string JsonScore(float score) {
  if (std::isnan(score)) {
    return "\"NaN\"";
  }
  if (std::isinf(score)) {
    return score > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  }
  return fmt::format("{}", score);
}

}  // namespace

std::string RankReport(const RankResult& result,
                       const std::vector<double>& labels, OutputForm form) {
  std::vector<TableRow> lines;
  std::string json;
  std::string csv = labels.empty() ? "item,score\n" : "item,score,label\n";
  for (std::size_t i = 0; i < result.scores.size(); ++i) {
    const std::size_t item = result.items.empty() ? i : result.items[i];
    const float score = WithoutNanSign(result.scores[i]);
    const std::string label =
        item < labels.size() ? fmt::format("{}", labels[item]) : "";
    lines.push_back(
        {fmt::format("{}", item), fmt::format("{:.6g}", score), label});
    csv += fmt::format("{},{}{}{}\n", item, score, label.empty() ? "" : ",",
                       label);
    json += fmt::format(R"({}{{"item":{},"score":{}{}{}}})",
                        json.empty() ? "" : ",", item, JsonScore(score),
                        label.empty() ? "" : ",\"label\":", label);
  }
  switch (form) {
    case OutputForm::kJson:
      return fmt::format(
          R"({{"model_name":{},"model_version":{},"output":{},"items":[{}]}})"
          "\n",
          JsonString(result.model_name), JsonString(result.model_version),
          JsonString(result.output), json);
    case OutputForm::kCsv:
      return csv;
    default:
      return FormatTable({"item", result.output, labels.empty() ? "" : "label"},
                         lines);
  }
}

}  // namespace relu
