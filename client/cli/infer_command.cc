#include "client/cli/infer_command.h"

#include <algorithm>
#include <cstdint>
#include <istream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/cli/guarantee_notes.h"
#include "client/cli/infer_report.h"
#include "client/cli/outcome.h"
#include "client/cli/predictions.h"
#include "client/cli/results.h"
#include "client/cli/row_source.h"
#include "client/cli/rows.h"
#include "client/cli/served_inputs.h"
#include "client/inference_client.h"
#include "core/base/status_macros.h"
#include "fmt/format.h"

namespace relu {
namespace {

// How many rows go into one request.
absl::StatusOr<std::int64_t> BatchRows(const InferOptions& options,
                                       const ModelInputs& inputs,
                                       std::int64_t rows) {
  if (!inputs.fixed_batch_rows.has_value()) {
    return options.batch_rows;
  }
  if (rows % *inputs.fixed_batch_rows != 0) {
    return absl::InvalidArgumentError(
        fmt::format("model \"{}\": {} rows, but each request must have {}; "
                    "add rows, or cut them with --limit",
                    options.model, rows, *inputs.fixed_batch_rows));
  }
  return *inputs.fixed_batch_rows;
}

absl::Status SendBatch(InferenceClient& client, const InferOptions& options,
                       const Rows& rows, std::int64_t batch_rows,
                       Results& results, GuaranteeNotes& notes) {
  const std::int64_t count = std::min(batch_rows, rows.count - results.rows);
  InferRequest request(options.model, options.version);
  for (const RowTensor& tensor : rows.inputs) {
    request.AddRawInput(tensor.name, DataTypeName(tensor.type),
                        tensor.ShapeOf(count),
                        tensor.RowBytes(results.rows, count));
  }
  for (const std::string& output : options.outputs) {
    request.AddOutput(output);
  }
  ASSIGN_OR_RETURN(const InferResult answer, client.Infer(request));
  notes.Add(answer);
  return results.Append(answer, count);
}

absl::StatusOr<Results> SendAll(InferenceClient& client,
                                const InferOptions& options, const Rows& rows,
                                std::int64_t batch_rows,
                                GuaranteeNotes& notes) {
  Results results;
  while (results.rows < rows.count) {
    RETURN_IF_ERROR(
        SendBatch(client, options, rows, batch_rows, results, notes));
  }
  return results;
}

}  // namespace

Outcome RunInfer(InferenceClient& client, const InferOptions& options,
                 std::istream& standard_input) {
  ModelInputs inputs;
  if (auto failed = AskInputs(client, options.model, options.version, inputs)) {
    return *std::move(failed);
  }
  auto rows = ReadRows(options, inputs, standard_input);
  if (!rows.ok()) {
    return WrongInput(rows.status());
  }
  const auto batch_rows = BatchRows(options, inputs, rows->count);
  if (!batch_rows.ok()) {
    return WrongInput(batch_rows.status());
  }
  GuaranteeNotes guarantees;
  auto results = SendAll(client, options, *rows, *batch_rows, guarantees);
  if (!results.ok()) {
    return CallFailed(results.status());
  }
  const bool has_labels = !rows->labels.empty();
  InferReport report{.results = *std::move(results),
                     .predictions = {},
                     .labels = std::move(rows->labels)};
  report.predictions = PredictionsOf(report.results, /*binary=*/has_labels);
  Outcome outcome;
  for (const std::string& note : rows->notes) {
    outcome.err += ErrorLine(fmt::format("note: {}", note));
  }
  for (const std::string& line : guarantees.Lines()) {
    outcome.err += ErrorLine(fmt::format("note: {}", line));
  }
  outcome.out = options.form == OutputForm::kJson ? ReportAsJson(report)
                : options.form == OutputForm::kCsv
                    ? ReportAsCsv(report)
                    : ReportAsTable(report, options.show_rows);
  return outcome;
}

}  // namespace relu
