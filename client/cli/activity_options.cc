#include "client/cli/activity_options.h"

#include <cstdint>

#include "client/cli/activity_command.h"
#include "client/cli/calibrate_command.h"
#include "client/cli/model_flags.h"
#include <CLI/CLI.hpp>

namespace relu {

void AddActivity(CLI::App& app, ActivityCommandOptions& options) {
  CLI::App& command = *app.add_subcommand(
      "activity",
      "Show what the neurons of a model do, and what moved them; needs relud");
  AddServedModel(command, options.model, options.version);
  command
      .add_option("--layer", options.layer,
                  "Show each neuron of this layer, with 95 % intervals of its "
                  "firing rate")
      ->option_text("NAME");
  command
      .add_option("--picture", options.picture, "Write a picture to this file")
      ->option_text("FILE.svg");
  command
      .add_option("--top,-k", options.top_k,
                  "Name K inputs and neurons of each layer that moved most")
      ->check(CLI::Range(1, 1000))
      ->option_text("K [5]");
  command.footer(
      "Examples:\n"
      "  reluctl activity credit_embed\n"
      "  reluctl activity credit_embed --picture activity.svg\n"
      "  reluctl activity credit_embed --output csv > neurons.csv\n");
}

void AddCalibrate(CLI::App& app, CalibrateOptions& options) {
  CLI::App& command = *app.add_subcommand(
      "calibrate",
      "Write down what a model does on rows that are as they should be, so "
      "that a server can tell drift; needs no server");
  command.add_option("file", options.file, "The ONNX file")->required();
  command
      .add_option("rows", options.rows, "The rows: a CSV, JSON or .npy file")
      ->required();
  AddLabel(command, options.label,
           "The CSV column that is no input, by its name or 'last'");
  command
      .add_option("--baseline", options.baseline,
                  "The file to write (default: .activity.json in place of "
                  ".onnx, where a server looks for it)")
      ->option_text("FILE");
  command
      .add_option("--window", options.window_rows,
                  "Rows that are scored together")
      ->check(CLI::Range(std::int64_t{16}, std::int64_t{1'000'000}))
      ->option_text("ROWS [256]");
  command
      .add_option("--false-alarm-rate", options.false_alarm_rate,
                  "Part of the windows without drift that may raise an alarm")
      ->check(CLI::Range(0.001, 0.5))
      ->option_text("PART [0.01]");
  command.footer(
      "Example:\n"
      "  reluctl calibrate models/credit/1/model.onnx rows.csv --label last\n");
}

}  // namespace relu
