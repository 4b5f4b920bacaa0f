#include <cstdint>
#include <string>

#include "client/cli/command_line.h"
#include "client/cli/load_options.h"
#include "client/cli/model_flags.h"
#include <CLI/CLI.hpp>

namespace relu {
namespace {

constexpr char kLoadExamples[] =
    "Examples:\n"
    "  reluctl load digits_mlp --concurrency 64 --duration 30\n"
    "  reluctl load digits_mlp --rate 5000 --arrivals poisson --check\n"
    "  reluctl load digits_mlp --concurrency 1,2,4,8,16,32 --report "
    "sweep.html\n"
    "  reluctl load digits_mlp --find-peak 5 --connections 4\n"
    "  reluctl load small=9 large=1 --rate 2000 --output json\n";

void AddLoadWhat(CLI::App& command, LoadOptions& load) {
  command
      .add_option("models", load.models,
                  "The models to call; with weights, calls are shared out by "
                  "them")
      ->required()
      ->option_text("MODEL[=WEIGHT] ...");
  command
      .add_option("--version", load.version,
                  "The models' version (default: the latest)")
      ->option_text("VERSION");
  command
      .add_option("--input,-i", load.input,
                  "The rows: a CSV, JSON or .npy file; - is standard input "
                  "(default: random rows)")
      ->option_text("FILE");
  command.add_option("--format,-f", load.format, "csv, json or npy")
      ->check(CLI::IsMember({"csv", "json", "npy"}))
      ->option_text("FORMAT");
  command
      .add_option("--input-name", load.named_inputs,
                  "The rows of one input as a .npy file; once for each input")
      ->option_text("NAME=FILE ...")
      ->allow_extra_args(false);
  AddLabel(command, load.label,
           "The CSV column that is not sent, by its name or 'last'");
  command.add_option("--rows", load.made_up_rows, "How many random rows")
      ->check(CLI::Range(1, 1'000'000))
      ->option_text("N [64]");
  command.add_option("--seed", load.seed, "Of all that is random")
      ->option_text("N [1]");
  command.add_option("--batch", load.batch_rows, "Rows in one request")
      ->check(CLI::Range(std::int64_t{1}, kMostRows))
      ->option_text("ROWS [1]");
  command
      .add_option("--outputs", load.outputs,
                  "The outputs to ask for (default: all)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->option_text("NAME,...");
  command.add_flag("--typed", load.typed,
                   "Send typed contents (fp32_contents, ...), not raw ones");
  command
      .add_option("--streams", load.streams,
                  "Call through that many ModelStreamInfer streams a "
                  "connection (default: unary calls)")
      ->check(CLI::Range(0, 10'000))
      ->option_text("N");
}

void AddLoadPace(CLI::App& command, LoadOptions& load) {
  command
      .add_option("--concurrency,-c", load.concurrency,
                  "Closed loop: keep N calls in flight; a list is a sweep")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(1, 1'000'000))
      ->option_text("N,... [1]");
  command
      .add_option("--rate,-r", load.rates,
                  "Open loop: start R calls a second, whatever the answers "
                  "take; a list is a sweep")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(1e-3, 1e8))
      ->option_text("R,...");
  command
      .add_option("--arrivals", load.arrivals,
                  "How the calls of --rate come: evenly, or as from many "
                  "independent clients")
      ->check(CLI::IsMember({"constant", "poisson"}))
      ->option_text("constant|poisson [constant]");
  command
      .add_option("--replay", load.replay,
                  "Open loop: start calls at the times of a file, one a line, "
                  "in seconds")
      ->option_text("FILE");
  command
      .add_option("--find-peak", load.peak_target_ms,
                  "Search the highest rate whose p99 is at most MS ms")
      ->check(CLI::Range(1e-3, 1e6))
      ->option_text("MS");
  command
      .add_option("--percentile", load.peak_percentile,
                  "The percentile that --find-peak looks at")
      ->check(CLI::Range(0.0, 100.0))
      ->option_text("P [99]");
  command
      .add_option("--allow-failed", load.peak_failed_percent,
                  "How many percent of the calls may fail for --find-peak")
      ->check(CLI::Range(0.0, 100.0))
      ->option_text("PERCENT [0]");
  command
      .add_option("--max-in-flight", load.max_in_flight,
                  "Of an open loop: calls wait while so many are in flight")
      ->check(CLI::Range(1, 10'000'000))
      ->option_text("N [4096]");
  command.add_option("--connections", load.connections, "Connections in all")
      ->check(CLI::Range(1, 10'000))
      ->option_text("N [1]");
  command.add_option("--threads", load.threads, "Threads of the client")
      ->check(CLI::Range(1, 256))
      ->option_text("N [1]");
}

void AddLoadRest(CLI::App& command, LoadOptions& load) {
  command
      .add_option("--warmup", load.warm_up_seconds,
                  "Load that is not measured, before")
      ->option_text("SECONDS [1]");
  command
      .add_option("--duration,-d", load.duration_seconds,
                  "How long to measure, each step; 3 s with --find-peak")
      ->option_text("SECONDS [10]");
  command.add_option("--count,-n", load.calls, "Measure N calls, not a time")
      ->check(CLI::Range(std::int64_t{1}, kMostRows))
      ->option_text("N");
  command
      .add_option("--stable", load.stable_percent,
                  "End once throughput and p99 of three windows are within P "
                  "percent, after --duration (60 s) at the latest")
      ->check(CLI::Range(0.1, 100.0))
      ->option_text("P");
  command
      .add_option("--window", load.window_seconds,
                  "The time that each point of the progress stands for")
      ->option_text("SECONDS [1]");
  command.add_flag("--check", load.check,
                   "Compare each answer with the one to the same request "
                   "before the load");
  command
      .add_option("--expect", load.expect,
                  "Compare an output with the rows of a .npy file; once for "
                  "each output")
      ->option_text("NAME=FILE ...")
      ->allow_extra_args(false);
  command
      .add_option("--tolerance", load.tolerance,
                  "How far floats may be off, relatively; 0: the same bits")
      ->check(CLI::Range(0.0, 1.0))
      ->option_text("X [0]");
  command
      .add_option("--report", load.report_file,
                  "Also write an HTML page with charts")
      ->option_text("FILE");
  command.add_flag("--quiet,-q", load.quiet, "Show no progress");
}

}  // namespace

void AddLoadFlags(CLI::App& command, LoadOptions& load) {
  AddLoadWhat(command, load);
  AddLoadPace(command, load);
  AddLoadRest(command, load);
  command.footer(kLoadExamples);
}

}  // namespace relu
