#include "client/cli/explain_command.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/cli/csv_reader.h"
#include "client/cli/explain_report.h"
#include "client/cli/guarantee_notes.h"
#include "client/cli/number.h"
#include "client/cli/outcome.h"
#include "client/cli/row_source.h"
#include "client/cli/rows.h"
#include "client/cli/served_inputs.h"
#include "client/explain.h"
#include "client/inference_client.h"
#include "core/base/status_macros.h"
#include "core/tensor/data_type.h"
#include "fmt/format.h"

namespace relu {
namespace {

ExplainMethod MethodOf(const std::string& name) {
  if (name == "integrated") {
    return ExplainMethod::kIntegratedGradients;
  }
  return name == "exact" ? ExplainMethod::kExactIntegratedGradients
                         : ExplainMethod::kGradient;
}

std::vector<ExplainRows> RowsOf(const Rows& rows, std::int64_t first,
                                std::int64_t count) {
  std::vector<ExplainRows> all;
  for (const RowTensor& tensor : rows.inputs) {
    const auto bytes = tensor.RowBytes(first, count);
    const std::size_t size = DataTypeSize(tensor.type);
    ExplainRows& explained = all.emplace_back();
    explained.name = tensor.name;
    explained.shape = tensor.ShapeOf(count);
    for (std::size_t at = 0; at < bytes.size(); at += size) {
      explained.data.push_back(
          ToDouble(LoadElement(tensor.type, bytes.data() + at)));
    }
  }
  return all;
}

absl::Status CheckMethod(const ExplainCommandOptions& options) {
  if (options.method != "gradient" && options.baseline.empty()) {
    return absl::InvalidArgumentError(fmt::format(
        "--method {}: there is no baseline, --baseline FILE is wanted",
        options.method));
  }
  return absl::OkStatus();
}

// A label, which a user may have left in, is told from another wrong row: then
// all is well without the last column.
absl::StatusOr<Rows> ReadWithoutLabel(RowOptions from,
                                      const ModelInputs& inputs,
                                      std::istream& standard_input) {
  auto rows = ReadRows(from, inputs, standard_input);
  from.label = kLastColumn;
  if (!rows.ok() && ReadRows(from, inputs, standard_input).ok()) {
    return absl::InvalidArgumentError(
        fmt::format("{}: one column more than the model wants; a baseline has "
                    "no label column",
                    from.input));
  }
  return rows;
}

absl::StatusOr<std::optional<Rows>> ReadBaseline(
    const ExplainCommandOptions& options, const ModelInputs& inputs,
    std::int64_t rows, std::istream& standard_input) {
  if (options.baseline.empty()) {
    return std::optional<Rows>();
  }
  RowOptions from;
  from.input = options.baseline;
  ASSIGN_OR_RETURN(Rows baseline,
                   ReadWithoutLabel(from, inputs, standard_input));
  if (baseline.count != 1 && baseline.count != rows) {
    return absl::InvalidArgumentError(
        fmt::format("{}: {} rows, wanted is 1, or one for each of the {} rows",
                    options.baseline, baseline.count, rows));
  }
  return std::optional<Rows>(std::move(baseline));
}

absl::StatusOr<ExplainResult> ExplainAll(InferenceClient& client,
                                         const ExplainCommandOptions& options,
                                         const Rows& rows,
                                         const std::optional<Rows>& baseline,
                                         GuaranteeNotes& notes) {
  ExplainResult all;
  for (std::int64_t first = 0; first < rows.count;
       first += options.batch_rows) {
    const std::int64_t count = std::min(options.batch_rows, rows.count - first);
    ExplainRequest request{.model = options.model,
                           .version = options.version,
                           .inputs = RowsOf(rows, first, count),
                           .baseline = {},
                           .output = options.output,
                           .elements = options.elements,
                           .method = MethodOf(options.method),
                           .top_k = options.top_k};
    if (baseline.has_value()) {
      request.baseline = baseline->count == 1 ? RowsOf(*baseline, 0, 1)
                                              : RowsOf(*baseline, first, count);
    }
    ASSIGN_OR_RETURN(ExplainResult part, client.Explain(request));
    notes.Add(part.findings);
    std::vector<ExplainedElement> earlier = std::move(all.explanations);
    for (ExplainedElement& explained : part.explanations) {
      explained.row += first;
      earlier.push_back(std::move(explained));
    }
    all = std::move(part);
    all.explanations = std::move(earlier);
  }
  return all;
}

}  // namespace

Outcome RunExplain(InferenceClient& client,
                   const ExplainCommandOptions& options,
                   std::istream& standard_input) {
  if (const absl::Status status = CheckMethod(options); !status.ok()) {
    return WrongInput(status);
  }
  ModelInputs inputs;
  if (auto failed = AskInputs(client, options.model, options.version, inputs)) {
    return *std::move(failed);
  }
  const auto rows = ReadRows(options, inputs, standard_input);
  if (!rows.ok()) {
    return WrongInput(rows.status());
  }
  const auto baseline =
      ReadBaseline(options, inputs, rows->count, standard_input);
  if (!baseline.ok()) {
    return WrongInput(baseline.status());
  }
  GuaranteeNotes guarantees;
  auto result = ExplainAll(client, options, *rows, *baseline, guarantees);
  if (!result.ok()) {
    return CallFailed(result.status());
  }
  const ExplainReport report(*std::move(result), inputs, rows->columns,
                             baseline->has_value());
  Outcome outcome;
  for (const std::string& line : guarantees.Lines()) {
    outcome.err += ErrorLine(fmt::format("note: {}", line));
  }
  outcome.out = options.json ? report.Json() : report.Table();
  return outcome;
}

}  // namespace relu
