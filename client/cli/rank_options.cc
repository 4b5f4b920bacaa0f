#include "client/cli/rank_options.h"

#include "client/cli/model_flags.h"
#include "client/cli/rank_command.h"
#include <CLI/CLI.hpp>

namespace relu {
namespace {

void AddShared(CLI::App& command, RankCommandOptions& options) {
  command
      .add_option("--shared", options.shared,
                  "What all items share: a CSV, JSON or .npy file of one row")
      ->required()
      ->option_text("FILE");
  command
      .add_option("--shared-inputs", options.shared_inputs,
                  "The inputs that the shared row has, whole")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->option_text("NAME,...");
  command
      .add_option("--shared-features", options.shared_features,
                  "How many features of an input the shared row has, where the "
                  "items have the others: the first, unless the model's config "
                  "says which; without NAME if there is one input")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->option_text("[NAME=]N,...");
}

}  // namespace

void AddRank(CLI::App& app, RankCommandOptions& options) {
  CLI::App& command = *app.add_subcommand(
      "rank",
      "Show which items score best beside what they share; needs relud");
  AddServedModel(command, options.model, options.version);
  AddShared(command, options);
  AddRows(command, options,
          {.input = "The items, one a row, without what they share: a CSV, "
                    "JSON or .npy file; - is standard input",
           .named_inputs = "The items' values for one input: a .npy file; once "
                           "for each",
           .label = "The CSV column of the items that is not sent, but shown, "
                    "by its name or 'last'",
           .limit = "Rank the first N items"});
  AddOutputName(command, options.output, "The output with the scores");
  command
      .add_option("--element", options.element,
                  "Which element of a row of the output is the score; needed "
                  "if it has several")
      ->option_text("N");
  command
      .add_option("--top,-k", options.top_k,
                  "Show the K best items; 0: all, in their order")
      ->option_text("K [10]");
  command.footer(
      "Examples:\n"
      "  reluctl rank ctr --shared user.csv --shared-features 256 \\\n"
      "    --input items.csv --top 10\n"
      "  reluctl rank credit_embed --shared person.csv --shared-inputs cat "
      "\\\n"
      "    --shared-features dense=6 --input offers.csv\n"
      "\n"
      "A model whose config has no parameter rank_shared.INPUT takes the first "
      "N\n"
      "elements of that input as the shared ones, the others as the items'.\n");
}

}  // namespace relu
