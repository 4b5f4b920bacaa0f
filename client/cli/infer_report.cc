#include "client/cli/infer_report.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/display_text.h"
#include "client/cli/number.h"
#include "client/cli/output_form.h"
#include "client/cli/predictions.h"
#include "client/cli/results.h"
#include "client/cli/table.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace relu {
namespace {

// Three or four numbers with their 6 digits, so that a line of two outputs fits
// a terminal.
constexpr std::size_t kMaxCellWidth = 40;

// "7", or "[0.1 0.2 ...]".
std::string Cell(const ResultTensor& output, std::int64_t row) {
  if (output.row_elements == 1) {
    return ShortElementText(output.type, output.Element(row, 0));
  }
  std::string cell = "[";
  for (std::int64_t k = 0; k < output.row_elements; ++k) {
    const std::string value =
        ShortElementText(output.type, output.Element(row, k));
    if (cell.size() + value.size() > kMaxCellWidth) {
      return cell + " ...]";
    }
    cell += (k == 0 ? "" : " ") + value;
  }
  return cell + "]";
}

std::string JsonValue(DataType type, const std::byte* element) {
  const double value = ToDouble(LoadElement(type, element));
  if (std::isnan(value)) {
    return "\"NaN\"";
  }
  if (std::isinf(value)) {
    return value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  }
  return ElementText(type, element);
}

std::string JsonTensor(const ResultTensor& output, std::int64_t rows) {
  Shape shape{rows};
  shape.insert(shape.end(), output.row_shape.begin(), output.row_shape.end());
  std::string data;
  for (std::int64_t i = 0; i < rows * output.row_elements; ++i) {
    data += i == 0 ? "" : ",";
    data += JsonValue(output.type, output.Element(0, i));
  }
  return fmt::format(R"({{"name":{},"datatype":"{}","shape":{},"data":[{}]}})",
                     JsonString(output.name), DataTypeName(output.type),
                     ShapeText(shape), data);
}

// `none` if there is none.
std::string PredictionText(const Prediction& prediction,
                           std::string_view none) {
  return prediction.has_value() ? fmt::format("{}", *prediction)
                                : std::string(none);
}

std::string JsonPredictions(const std::vector<Prediction>& predictions) {
  std::vector<std::string> texts;
  for (const Prediction& prediction : predictions) {
    texts.push_back(PredictionText(prediction, "null"));
  }
  return fmt::format("[{}]", fmt::join(texts, ","));
}

bool HasAccuracy(const InferReport& report) {
  return !report.predictions.empty() && !report.labels.empty();
}

double Accuracy(const InferReport& report) {
  return static_cast<double>(CountCorrect(report.predictions, report.labels)) /
         static_cast<double>(report.labels.size());
}

TableRow Header(const InferReport& report) {
  TableRow header = {"row"};
  for (const ResultTensor& output : report.results.outputs) {
    header.push_back(output.name);
  }
  if (!report.predictions.empty()) {
    header.emplace_back("prediction");
  }
  if (!report.labels.empty()) {
    header.emplace_back("label");
  }
  if (HasAccuracy(report)) {
    header.emplace_back("");
  }
  return header;
}

TableRow Line(const InferReport& report, std::int64_t row) {
  const auto index = static_cast<std::size_t>(row);
  TableRow line = {fmt::format("{}", row)};
  for (const ResultTensor& output : report.results.outputs) {
    line.push_back(Cell(output, row));
  }
  if (!report.predictions.empty()) {
    line.push_back(PredictionText(report.predictions[index], "none"));
  }
  if (!report.labels.empty()) {
    line.push_back(fmt::format("{}", report.labels[index]));
  }
  if (HasAccuracy(report)) {
    const bool correct =
        IsCorrect(report.predictions[index], report.labels[index]);
    line.emplace_back(correct ? "\u2713" : "\u2717");  // A tick or a cross.
  }
  return line;
}

}  // namespace

std::string ReportAsTable(const InferReport& report,
                          std::optional<std::int64_t> max_rows) {
  const std::int64_t shown =
      std::min(report.results.rows, max_rows.value_or(report.results.rows));
  std::vector<TableRow> lines;
  for (std::int64_t row = 0; row < shown; ++row) {
    lines.push_back(Line(report, row));
  }
  std::string text = FormatTable(Header(report), lines);
  if (shown < report.results.rows) {
    text += fmt::format("... {} more rows\n", report.results.rows - shown);
  }
  if (HasAccuracy(report)) {
    text += fmt::format("accuracy {:.4f} ({} of {})\n", Accuracy(report),
                        CountCorrect(report.predictions, report.labels),
                        report.labels.size());
  }
  return text;
}

std::string ReportAsJson(const InferReport& report) {
  const Results& results = report.results;
  std::string outputs;
  for (const ResultTensor& output : results.outputs) {
    outputs += outputs.empty() ? "" : ",";
    outputs += JsonTensor(output, results.rows);
  }
  std::string text = fmt::format(
      R"({{"model_name":{},"model_version":{},"rows":{},"outputs":[{}])",
      JsonString(results.model), JsonString(results.version), results.rows,
      outputs);
  if (!report.predictions.empty()) {
    text += fmt::format(R"(,"predictions":{})",
                        JsonPredictions(report.predictions));
  }
  if (!report.labels.empty()) {
    text += fmt::format(R"(,"labels":[{}])", fmt::join(report.labels, ","));
  }
  if (HasAccuracy(report)) {
    text += fmt::format(R"(,"correct":{},"accuracy":{})",
                        CountCorrect(report.predictions, report.labels),
                        Accuracy(report));
  }
  return text + "}\n";
}

std::string ReportAsCsv(const InferReport& report) {
  TableRow names = {"row"};
  for (const ResultTensor& output : report.results.outputs) {
    for (std::int64_t k = 0; k < output.row_elements; ++k) {
      names.push_back(output.row_elements == 1
                          ? output.name
                          : fmt::format("{}[{}]", output.name, k));
    }
  }
  if (!report.predictions.empty()) {
    names.emplace_back("prediction");
  }
  if (!report.labels.empty()) {
    names.emplace_back("label");
  }
  std::string text = CsvLine(names);
  for (std::int64_t row = 0; row < report.results.rows; ++row) {
    const auto index = static_cast<std::size_t>(row);
    TableRow line = {fmt::format("{}", row)};
    for (const ResultTensor& output : report.results.outputs) {
      for (std::int64_t k = 0; k < output.row_elements; ++k) {
        line.push_back(ElementText(output.type, output.Element(row, k)));
      }
    }
    if (!report.predictions.empty()) {
      line.push_back(PredictionText(report.predictions[index], ""));
    }
    if (!report.labels.empty()) {
      line.push_back(fmt::format("{}", report.labels[index]));
    }
    text += CsvLine(line);
  }
  return text;
}

}  // namespace relu
