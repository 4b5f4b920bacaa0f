#include "client/cli/rank_options.h"

#include <cstdint>

#include "client/cli/rank_command.h"
#include <CLI/CLI.hpp>

namespace relu {
namespace {

constexpr std::int64_t kMostItems = 1'000'000'000'000;

void AddFiles(CLI::App& command, RankCommandOptions& options) {
  command.add_option("model", options.model, "The model's name")->required();
  command
      .add_option("--version", options.version,
                  "The model's version (default: the latest)")
      ->option_text("VERSION");
  command
      .add_option("--shared,-s", options.shared,
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
                  "items have the others; without NAME if there is one input")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->option_text("[NAME=]N,...");
  command
      .add_option("--input,-i", options.input,
                  "The items, one a row, without what they share: a CSV, JSON "
                  "or .npy file; - is standard input")
      ->option_text("FILE [-]");
  command
      .add_option("--format,-f", options.format,
                  "Of the items: csv, json or npy (default: by the file's "
                  "name; csv for standard input)")
      ->check(CLI::IsMember({"csv", "json", "npy"}))
      ->option_text("FORMAT");
  command
      .add_option("--input-name", options.named_inputs,
                  "The items' values for one input: a .npy file; once for each")
      ->allow_extra_args(false)
      ->option_text("NAME=FILE");
  command
      .add_option("--label", options.label,
                  "The CSV column of the items that is not sent, but shown, by "
                  "its name or 'last'")
      ->option_text("COLUMN");
  command.add_option("--limit", options.max_rows, "Rank the first N items")
      ->check(CLI::Range(std::int64_t{1}, kMostItems))
      ->option_text("N");
}

}  // namespace

void AddRank(CLI::App& app, RankCommandOptions& options) {
  CLI::App& command = *app.add_subcommand(
      "rank",
      "Show which items score best beside what they share; needs relud");
  AddFiles(command, options);
  command
      .add_option("--output-name", options.output,
                  "The output with the scores (default: the first of floats)")
      ->option_text("NAME");
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
      "    --shared-features dense=6 --input offers.csv\n");
}

}  // namespace relu
