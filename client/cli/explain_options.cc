#include "client/cli/explain_options.h"

#include "client/cli/explain_command.h"
#include "client/cli/model_flags.h"
#include <CLI/CLI.hpp>

namespace relu {
namespace {

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
  AddOutputName(command, options.output, "The output to explain");
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
  AddServedModel(command, options.model, options.version);
  AddRows(command, options,
          {.label = "The CSV column that is not sent, by its name or 'last'",
           .limit = "Explain the first N rows"});
  AddBatchRows(command, options.batch_rows);
  AddQuestion(command, options);
  command.footer(
      "Examples:\n"
      "  reluctl explain digits_mlp --input rows.csv --label last\n"
      "  reluctl explain credit_embed --input rows.csv --label last \\\n"
      "    --baseline typical.csv --method exact --top 4\n");
}

}  // namespace relu
