// Measures relud's engine and, in the same process and in turn with it, the
// engines that are there to compare with: oneDNN, OpenBLAS, Eigen, XNNPACK and
// ONNX Runtime. tests/benchmark/run.sh builds it, runs it and writes
// docs/benchmarks.md.
//
// Every peer's answers are compared with ours: a difference of more than 1e-4
// of the largest value ends the program.

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "CLI/CLI.hpp"
#include "core/base/status_macros.h"
#include "tests/benchmark/answers.h"
#include "tests/benchmark/cases.h"
#include "tests/benchmark/empty_call.h"
#include "tests/benchmark/machine.h"
#include "tests/benchmark/measurement.h"
#include "tests/benchmark/our_engine.h"
#include "tests/benchmark/peers.h"
#include "tests/benchmark/report.h"

namespace relu::benchmarks {
namespace {

constexpr double kTolerance = 1e-4;
// Batches of which the answers are compared.
constexpr std::size_t kComparedBatches = 4;
// How often everything is prepared anew for one measurement, because the pages
// of memory that the weights get decide which sets of a cache they share. On
// 0.7 MB of weights and 1 MB of L2 the best time of our engine was 6.6 us in
// most processes and 8.3 us in one.
constexpr int kPlacements = 3;
// Zeros are skipped in batches of so many rows, at most.
constexpr std::size_t kMostRowsToSkip = 16;

struct Options {
  std::filesystem::path json;
  std::filesystem::path onnx_runtime;
  std::string testdata = "tests/testdata";
  std::string filter;
  std::vector<int> threads{1};
  bool quick = false;
};

Limits LimitsOf(const Options& options) {
  if (options.quick) {
    return {.time = std::chrono::milliseconds(150), .least_rounds = 2};
  }
  return {};
}

// Runs the cases with one number of threads. For one thread.
class Benchmark {
 public:
  Benchmark(const Options& options, int threads,
            std::vector<std::unique_ptr<Engine>> peers,
            std::unique_ptr<Engine> empty_call)
      : options_(options),
        threads_(threads),
        ours_("relud", threads),
        peers_(std::move(peers)),
        empty_call_(std::move(empty_call)) {}

  absl::Status Run(Report& report);

 private:
  absl::Status RunCase(const Case& a_case, Report& report);
  absl::StatusOr<ReportRow> RunBatch(const Case& a_case, std::size_t rows,
                                     const Network& network);
  // All engines that can run the network: ours, ours in other ways, the peers,
  // and the empty call.
  absl::StatusOr<std::vector<Engine*>> Prepare(const Case& a_case,
                                               const Network& network,
                                               const Batches& batches);
  // The peers that can run the network, after a check of their answers.
  absl::StatusOr<std::vector<Engine*>> PreparePeers(
      const Network& network, const Batches& batches,
      const std::vector<double>& wanted);
  OurEngine& Ours(const Case& a_case);
  std::vector<OurEngine*> OtherWays(const Case& a_case, std::size_t rows);
  bool IsWanted(const Case& a_case, std::size_t batch) const;

  const Options& options_;  // Outlives this.
  int threads_;
  OurEngine ours_;
  OurEngine ours_half_{"relud", 1, {.weights = WeightStorage::kFloat16}};
  // What the fastest of the ways that ours could take is looked for among.
  OurEngine one_thread_{"relud, one thread", 1};
  OurEngine float_weights_{"relud, float32", 1};
  OurEngine never_{"relud, no skip", 1, {.zero_skip = ZeroSkip::kNever}};
  OurEngine always_{"relud, all skip", 1, {.zero_skip = ZeroSkip::kAlways}};
  std::vector<std::unique_ptr<Engine>> peers_;
  std::unique_ptr<Engine> empty_call_;  // May be null.
};

bool Benchmark::IsWanted(const Case& a_case, std::size_t batch) const {
  return std::regex_search(NameOf(a_case, batch), std::regex(options_.filter));
}

OurEngine& Benchmark::Ours(const Case& a_case) {
  return a_case.half_weights ? ours_half_ : ours_;
}

std::vector<OurEngine*> Benchmark::OtherWays(const Case& a_case,
                                             std::size_t rows) {
  if (threads_ > 1) {
    return {&one_thread_};
  }
  if (a_case.half_weights) {
    return {&float_weights_};
  }
  return rows <= kMostRowsToSkip ? std::vector<OurEngine*>{&never_, &always_}
                                 : std::vector<OurEngine*>{};
}

// The answers to the first batches, one after the other.
std::vector<double> AnswersOf(Engine& engine, const Batches& batches) {
  std::vector<double> answers;
  for (std::size_t i = 0; i < batches.count && i < kComparedBatches; ++i) {
    engine.Run(i);
    const std::vector<double> of_batch = engine.Answers();
    answers.insert(answers.end(), of_batch.begin(), of_batch.end());
  }
  return answers;
}

absl::StatusOr<std::vector<Engine*>> Benchmark::PreparePeers(
    const Network& network, const Batches& batches,
    const std::vector<double>& wanted) {
  std::vector<Engine*> ready;
  for (const auto& peer : peers_) {
    const absl::Status status = peer->Prepare(network, batches);
    if (absl::IsUnimplemented(status)) {
      continue;
    }
    RETURN_IF_ERROR(status);
    const double difference =
        LargestDifference(wanted, AnswersOf(*peer, batches));
    if (!(difference <= kTolerance)) {
      return absl::InternalError(fmt::format(
          "{}, batches of {}: the answers of {} are {:g} off, at most {:g} is "
          "allowed",
          network.name, batches.rows, peer->name(), difference, kTolerance));
    }
    ready.push_back(peer.get());
  }
  return ready;
}

// While it lives, memory of some size comes in pages that are new to the
// process. (Else not, as Eigen takes memory in every call.)
class FreshPages {
 public:
  FreshPages() {
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
    mallopt(M_MMAP_THRESHOLD, 64 << 10);
  }
  FreshPages(const FreshPages&) = delete;
  FreshPages& operator=(const FreshPages&) = delete;
  ~FreshPages() { mallopt(M_MMAP_THRESHOLD, 32 << 20); }
};

absl::StatusOr<std::vector<Engine*>> Benchmark::Prepare(
    const Case& a_case, const Network& network, const Batches& batches) {
  const FreshPages fresh_pages;
  OurEngine& ours = Ours(a_case);
  RETURN_IF_ERROR(ours.Prepare(network, batches));
  std::vector<Engine*> engines = {&ours};
  const std::vector<double> answers = AnswersOf(ours, batches);
  for (OurEngine* const other : OtherWays(a_case, batches.rows)) {
    RETURN_IF_ERROR(other->Prepare(network, batches));
    if (AnswersOf(*other, batches) != answers) {
      return absl::InternalError(fmt::format(
          "{}, batches of {}: the answers of {} are not those of {}, to the "
          "bit",
          network.name, batches.rows, other->name(), ours.name()));
    }
    engines.push_back(other);
  }
  ASSIGN_OR_RETURN(const std::vector<Engine*> peers,
                   PreparePeers(network, batches, answers));
  engines.insert(engines.end(), peers.begin(), peers.end());
  if (empty_call_ != nullptr) {
    RETURN_IF_ERROR(empty_call_->Prepare(network, batches));
    engines.push_back(empty_call_.get());
  }
  return engines;
}

absl::StatusOr<ReportRow> Benchmark::RunBatch(const Case& a_case,
                                              std::size_t rows,
                                              const Network& network) {
  const Batches batches = MakeBatches(network, rows);
  ReportRow row = {
      .measured = a_case,
      .batch = rows,
      .measurement = {.batch_count = batches.count,
                      .operations = network.operations_per_row *
                                    static_cast<double>(rows),
                      .weight_bytes = network.weight_bytes,
                      .threads = threads_,
                      .cold = a_case.table == "cold"},
      .result = {},
  };
  std::vector<Engine*> engines;
  Samples samples;
  for (int placement = 0; placement < kPlacements; ++placement) {
    ASSIGN_OR_RETURN(engines, Prepare(a_case, network, batches));
    Measure(row.measurement, engines, LimitsOf(options_), samples);
  }
  row.result = Summarize(row.measurement, engines, samples);
  return row;
}

absl::Status Benchmark::RunCase(const Case& a_case, Report& report) {
  ASSIGN_OR_RETURN(const Network network,
                   MakeNetwork(a_case, options_.testdata));
  for (const std::size_t rows : a_case.batches) {
    if (IsWanted(a_case, rows)) {
      ASSIGN_OR_RETURN(ReportRow row, RunBatch(a_case, rows, network));
      fmt::print("{}\n", TextOf(row));
      std::fflush(stdout);
      report.rows.push_back(std::move(row));
    }
  }
  return absl::OkStatus();
}

absl::Status Benchmark::Run(Report& report) {
  for (const Case& a_case : AllCases(threads_, options_.quick)) {
    const bool is_wanted = std::ranges::any_of(
        a_case.batches,
        [&](std::size_t batch) { return IsWanted(a_case, batch); });
    if (is_wanted) {
      RETURN_IF_ERROR(RunCase(a_case, report));
    }
  }
  return absl::OkStatus();
}

absl::Status RunAll(const Options& options) {
  Report report;
  report.machine = DescribeMachine();
  report.machine.emplace_back("start", DateAndLoad());
  for (const int threads : options.threads) {
    ASSIGN_OR_RETURN(auto peers, MakePeers(options.onnx_runtime, threads));
    if (report.engines.empty()) {
      for (const auto& peer : peers) {
        report.engines.emplace_back(peer->name(), peer->version());
        fmt::print("{}: {}\n", peer->name(), peer->version());
      }
      fmt::print("{}\n", TextHeader());
    }
    std::unique_ptr<Engine> empty_call;
    if (!options.onnx_runtime.empty()) {
      ASSIGN_OR_RETURN(empty_call,
                       MakeOnnxRuntimeEngine(options.onnx_runtime, threads));
      empty_call = std::make_unique<EmptyCall>(std::move(empty_call));
    }
    RETURN_IF_ERROR(
        Benchmark(options, threads, std::move(peers), std::move(empty_call))
            .Run(report));
  }
  report.machine.emplace_back("end", DateAndLoad());
  return options.json.empty() ? absl::OkStatus()
                              : WriteJson(report, options.json);
}

}  // namespace
}  // namespace relu::benchmarks

int main(int argc, char** argv) {
  relu::benchmarks::Options options;
  CLI::App app("Measures relud's engine in turn with others");
  app.add_option("--json", options.json, "write the results to this file");
  app.add_option("--onnxruntime", options.onnx_runtime,
                 "libonnxruntime.so, to measure it as well");
  app.add_option("--testdata", options.testdata, "the folder tests/testdata")
      ->capture_default_str();
  app.add_option("--filter", options.filter,
                 "only cases whose name has this regular expression");
  app.add_option("--threads", options.threads, "of every engine, e.g. 1,2")
      ->delimiter(',')
      ->check(CLI::Range(1, 64));
  app.add_flag("--quick", options.quick, "fewer cases, for less time each");
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = relu::benchmarks::RunAll(options);
  if (!status.ok()) {
    fmt::print(stderr, "engine_benchmark: {}\n", status.ToString());
    return 1;
  }
  return 0;
}
