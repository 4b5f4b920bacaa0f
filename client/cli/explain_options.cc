#include "client/cli/explain_options.h"

#include <cstdint>
#include <string>

#include "client/cli/explain_command.h"
#include <CLI/CLI.hpp>

namespace relu {
namespace {

constexpr std::int64_t kMaxRows = 1'000'000'000'000;

void AddRows(CLI::App& command, ExplainCommandOptions& options) {
  command.add_option("model", options.model, "The model's name")->required();
  command
      .add_option("--version", options.version,
                  "The model's version (default: the latest)")
      ->option_text("VERSION");
  command
      .add_option("--input,-i", options.input,
                  "The rows: a CSV, JSON or .npy file; - is standard input")
      ->option_text("FILE [-]");
  command
      .add_option("--format,-f", options.format,
                  "csv, json or npy (default: by the file's name; csv for "
                  "standard input)")
      ->check(CLI::IsMember({"csv", "json", "npy"}))
      ->option_text("FORMAT");
  command
      .add_option("--label", options.label,
                  "The CSV column that is not sent, by its name or 'last'")
      ->option_text("COLUMN");
  command.add_option("--limit", options.max_rows, "Explain the first N rows")
      ->check(CLI::Range(std::int64_t{1}, kMaxRows))
      ->option_text("N");
  command
      .add_option("--batch", options.batch_rows, "Rows in one request, at most")
      ->check(CLI::Range(std::int64_t{1}, kMaxRows))
      ->option_text("ROWS [64]");
}

void AddQuestion(CLI::App& command, ExplainCommandOptions& options) {
  command
      .add_option("--baseline,-b", options.baseline,
                  "What to compare with: a file of one row, or of one for each "
                  "row; without labels")
      ->option_text("FILE");
  command
      .add_option("--method,-m", options.method,
                  "gradient: J of f(x) = J x + t; integrated: its mean on the "
                  "way from the baseline, at 50 points; exact: from kink to "
                  "kink")
      ->check(CLI::IsMember({"gradient", "integrated", "exact"}))
      ->option_text("METHOD [gradient]");
  command
      .add_option("--output-name", options.output,
                  "The output to explain (default: the first of floats)")
      ->option_text("NAME");
  command
      .add_option("--elements", options.elements,
                  "Which elements of the output to explain (default: the "
                  "largest of each row)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->option_text("N,...");
  command
      .add_option("--top,-k", options.top_k,
                  "Show the K largest contributions; 0: all")
      ->option_text("K [5]");
}

}  // namespace

void AddExplain(CLI::App& app, ExplainCommandOptions& options) {
  CLI::App& command = *app.add_subcommand(
      "explain",
      "Show what each input contributes to a model's answers; needs relud");
  AddRows(command, options);
  AddQuestion(command, options);
  command.footer(
      "Examples:\n"
      "  reluctl explain digits_mlp --input rows.csv --label last\n"
      "  reluctl explain credit_embed --input rows.csv --label last \\\n"
      "    --baseline typical.csv --method exact --top 4\n");
}

}  // namespace relu
