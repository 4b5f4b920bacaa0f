#include "client/cli/model_flags.h"

#include <cstdint>
#include <string>

#include "client/cli/row_source.h"
#include <CLI/CLI.hpp>

namespace relu {

void AddVersion(CLI::App& command, std::string& version) {
  command
      .add_option("--version", version,
                  "The model's version (default: the latest)")
      ->option_text("VERSION");
}

void AddServedModel(CLI::App& command, std::string& model,
                    std::string& version) {
  command.add_option("model", model, "The model's name")->required();
  AddVersion(command, version);
}

void AddRows(CLI::App& command, RowOptions& rows, const RowTexts& texts) {
  auto* const input = command.add_option("--input,-i", rows.input, texts.input)
                          ->option_text("FILE [-]");
  command
      .add_option("--format,-f", rows.format,
                  "csv, json or npy (default: by the file's name; csv for "
                  "standard input)")
      ->check(CLI::IsMember({"csv", "json", "npy"}))
      ->option_text("FORMAT");
  command.add_option("--input-name", rows.named_inputs, texts.named_inputs)
      ->option_text("NAME=FILE ...")
      ->excludes(input)
      ->allow_extra_args(false);
  AddLabel(command, rows.label, texts.label);
  command.add_option("--limit", rows.max_rows, texts.limit)
      ->check(CLI::Range(std::int64_t{1}, kMostRows))
      ->option_text("N");
}

void AddLabel(CLI::App& command, std::string& label, const std::string& text) {
  command.add_option("--label", label, text)->option_text("COLUMN");
}

void AddBatchRows(CLI::App& command, std::int64_t& batch_rows) {
  command.add_option("--batch", batch_rows, "Rows in one request, at most")
      ->check(CLI::Range(std::int64_t{1}, kMostRows))
      ->option_text("ROWS [64]");
}

void AddOutputName(CLI::App& command, std::string& output,
                   const std::string& text) {
  command
      .add_option("--output-name", output,
                  text + " (default: the first of floats)")
      ->option_text("NAME");
}

}  // namespace relu
