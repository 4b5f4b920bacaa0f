// Measures ModelInfer of the real relud binary against a null RPC: the same
// method, payload and answer size on the same gRPC, with nothing done between
// them. The servers are processes of their own on one CPU, measured in turn;
// the client, which is this process, has another CPU. And what relud takes to
// start, of disk and of memory. Runs from the root of the source tree.
//
//   serving_benchmark RELUD [--json=FILE] [--rounds=N] [--only=WORD]
//   serving_benchmark --null-server BYTES THREADS   (what it starts by itself)

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "nlohmann/json.hpp"
#include "tests/benchmark/median.h"
#include "tests/benchmark/model_servers.h"
#include "tests/benchmark/null_server.h"
#include "tests/benchmark/process_figures.h"
#include "tests/support/h2_client.h"

namespace relu::benchmarks {
namespace {

using std::chrono::milliseconds;

// Zeros as in tables, and as in a network of these sizes that was trained on
// MNIST: 81 % of the pixels, 71 % of the first hidden layer (and 48 % of the
// second, from which there are few weights to the digits).
const BenchmarkModel kTiny = {.name = "tiny",
                              .sizes = {32, 64, 32, 1},
                              .input_zeros = 0.5,
                              .hidden_zeros = 0.5,
                              .calls = Floor{.value = 0.85}};
const BenchmarkModel kMnist = {.name = "mnist",
                               .sizes = {784, 512, 512, 10},
                               .input_zeros = 0.81,
                               .hidden_zeros = 0.71,
                               .calls = Floor{.value = 0.55}};
const BenchmarkModel kTrained = {.name = "mnist_256x128"};
// Requests that take longer than to refuse them: some milliseconds.
const BenchmarkModel kLarge = {.name = "large",
                               .sizes = {256, 2048, 2048, 10},
                               .hidden_zeros = 0.5,
                               .request_rows = 16};

using Field = std::function<double(const LoadFigures&)>;

double MedianOf(const ModelServers::Rounds& rounds, bool second,
                const Field& field) {
  std::vector<double> values;
  for (const auto& [a, b] : rounds) {
    values.push_back(field(second ? b : a));
  }
  return Median(std::move(values));
}

double CallsPerSecond(const LoadFigures& figures) {
  return figures.calls_per_second();
}

// Of the second's calls to the first's, round by round.
double CallsRatio(const ModelServers::Rounds& rounds) {
  std::vector<double> ratios;
  for (const auto& [a, b] : rounds) {
    ratios.push_back(b.calls_per_second() / a.calls_per_second());
  }
  return Median(std::move(ratios));
}

// Of the second, which is relud, and of the first.
std::string Latencies(const ModelServers::Rounds& rounds) {
  const auto p50 = [](const LoadFigures& figures) { return figures.p50_us; };
  const auto p99 = [](const LoadFigures& figures) { return figures.p99_us; };
  return fmt::format(
      "p50 {:.1f} us, p99 {:.1f} us; null RPC {:.1f} us, {:.1f} us",
      MedianOf(rounds, true, p50), MedianOf(rounds, true, p99),
      MedianOf(rounds, false, p50), MedianOf(rounds, false, p99));
}

nlohmann::json Row(const std::string& what, double value,
                   const std::optional<Floor>& floor,
                   const std::string& detail) {
  const std::string wanted =
      floor.has_value()
          ? fmt::format(" ({} {:.2f})",
                        floor->at_least ? ">=" : "<=", floor->value)
          : "";
  fmt::print("{:<70} {:7.2f}{}  {}\n", what, value, wanted, detail);
  std::fflush(stdout);
  nlohmann::json row = {{"what", what}, {"value", value}, {"detail", detail}};
  if (floor.has_value()) {
    row["wanted"] = floor->value;
    row["at_least"] = floor->at_least;
  }
  return row;
}

nlohmann::json MeasureThroughput(ModelServers& servers,
                                 const BenchmarkModel& model) {
  const auto rounds = servers.Compare(servers.null(), servers.relud(), 64);
  return Row(
      fmt::format("{}: calls/s against the null RPC, 64 in flight", model.name),
      CallsRatio(rounds), model.calls,
      fmt::format("{:.0f} of {:.0f} calls/s; {}{}",
                  MedianOf(rounds, true, CallsPerSecond),
                  MedianOf(rounds, false, CallsPerSecond), Latencies(rounds),
                  servers.TakeFailures()));
}

// `how`: with which flag `relud` runs, if any.
nlohmann::json MeasureAddedLatency(ModelServers& servers, Measured& relud,
                                   const std::string& name,
                                   const std::string& how) {
  const auto rounds = servers.Compare(servers.null(), relud, 1);
  std::vector<double> added;
  for (const auto& [a, b] : rounds) {
    added.push_back(b.p50_us - a.p50_us - servers.forward_us());
  }
  return Row(
      fmt::format("{}: us of p50 over the null RPC and the forward pass, 1 in "
                  "flight{}",
                  name, how),
      Median(added), Floor{.value = 10, .at_least = false},
      fmt::format("{}, forward pass {:.1f} us{}", Latencies(rounds),
                  servers.forward_us(), servers.TakeFailures()));
}

nlohmann::json MeasureBatching(ModelServers& servers, const std::string& name) {
  const auto rounds = servers.Compare(servers.unbatched(), servers.relud(), 64);
  return Row(
      fmt::format("{}: calls/s against the same server with --max-batch-rows=1",
                  name),
      CallsRatio(rounds), Floor{.value = 1.2},
      fmt::format(
          "{:.0f} of {:.0f} calls/s{}", MedianOf(rounds, true, CallsPerSecond),
          MedianOf(rounds, false, CallsPerSecond), servers.TakeFailures()));
}

nlohmann::json MeasureTail(ModelServers& servers, Measured& relud,
                           const std::string& name, const std::string& how,
                           int rounds) {
  const double peak = servers.Run(relud, 64).calls_per_second();
  std::vector<double> ratios;
  std::vector<double> null_ratios;
  std::vector<double> p50s;
  for (int i = 0; i < rounds; ++i) {
    const LoadFigures figures = servers.RunAtRate(relud, peak / 2);
    ratios.push_back(figures.p99_us / figures.p50_us);
    const LoadFigures null = servers.RunAtRate(servers.null(), peak / 2);
    null_ratios.push_back(null.p99_us / null.p50_us);
    p50s.push_back(figures.p50_us);
  }
  return Row(
      fmt::format("{}: p99 against p50 at half of the peak load{}", name, how),
      Median(ratios), Floor{.value = 3, .at_least = false},
      fmt::format("{:.0f} calls/s, p50 {:.0f} us; the null RPC's p99 at the "
                  "same rate is {:.1f} times its p50{}",
                  peak / 2, Median(p50s), Median(null_ratios),
                  servers.TakeFailures()));
}

// An open loop of ten times the peak. Medians of `rounds` floods.
void MeasureOverload(ModelServers& servers, const std::string& name, int rounds,
                     nlohmann::json& rows) {
  constexpr milliseconds kFloodTime{2000};
  Measured& relud = servers.relud();
  std::vector<double> goodputs;
  std::vector<double> recoveries;
  std::vector<double> refusals_ms;
  std::vector<double> peaks;
  for (int i = 0; i < rounds; ++i) {
    const double peak = servers.Run(relud, 64).calls_per_second();
    const LoadFigures flood = relud.client->RunAtRate(10 * peak, kFloodTime);
    const double seconds = std::chrono::duration<double>(kFloodTime).count();
    // Over all of the time until the last answer.
    goodputs.push_back(flood.calls_per_second() / peak);
    recoveries.push_back(flood.seconds - seconds);
    refusals_ms.push_back(flood.failed_p99_us / 1000);
    peaks.push_back(peak);
  }
  rows.push_back(Row(
      fmt::format("{}: goodput at ten times the peak load, against peak", name),
      Median(goodputs), Floor{.value = 0.8},
      fmt::format(
          "peak {:.0f} calls/s of 16 rows; p99 of a refusal {:.1f} ms{}",
          Median(peaks), Median(refusals_ms), servers.TakeFailures())));
  rows.push_back(
      Row(fmt::format("{}: s from the end of that flood until all is answered",
                      name),
          Median(recoveries), Floor{.value = 1, .at_least = false},
          "the queues are empty again"));
}

// relud with the models that it comes with.
void MeasureProcess(const Plan& plan, nlohmann::json& rows) {
  const ProcessFigures figures =
      MeasureProcesses(plan.relud, "deploy/models", plan.rounds);
  rows.push_back(Row("ms from the start of the process until it is ready",
                     Median(figures.ready_ms),
                     Floor{.value = 50, .at_least = false},
                     "with the three models of deploy/models"));
  rows.push_back(Row("MB of resident memory when idle",
                     Median(figures.resident_mb),
                     Floor{.value = 30, .at_least = false},
                     "with their weights; the floor is without"));
  rows.push_back(Row("MB of the program", figures.loaded_mb, std::nullopt,
                     fmt::format("what is loaded of it; {:.1f} MB with symbols "
                                 "and line tables",
                                 figures.file_mb)));
}

int RunTable(const Plan& plan, const std::string& json_file,
             std::string_view only) {
  nlohmann::json rows = nlohmann::json::array();
  const auto wanted = [only](std::string_view part) {
    return only.empty() || part.find(only) != std::string_view::npos;
  };
  for (const BenchmarkModel* model : {&kTiny, &kMnist, &kTrained}) {
    if (!wanted(model->name)) {
      continue;
    }
    ModelServers servers(plan, *model);
    rows.push_back(MeasureThroughput(servers, *model));
    const std::string polling = ", --busy-poll=200";
    rows.push_back(
        MeasureAddedLatency(servers, servers.relud(), model->name, ""));
    rows.push_back(
        MeasureAddedLatency(servers, servers.polling(), model->name, polling));
    if (model == &kMnist) {
      rows.push_back(MeasureBatching(servers, model->name));
    }
    rows.push_back(
        MeasureTail(servers, servers.relud(), model->name, "", plan.rounds));
    rows.push_back(MeasureTail(servers, servers.polling(), model->name, polling,
                               plan.rounds));
  }
  if (wanted(kLarge.name)) {
    ModelServers servers(plan, kLarge);
    MeasureOverload(servers, kLarge.name, std::min(plan.rounds, 5), rows);
  }
  if (wanted("process")) {
    MeasureProcess(plan, rows);
  }
  if (!json_file.empty()) {
    std::ofstream(json_file) << rows.dump(1) << "\n";
  }
  return 0;
}

int Main(std::span<char* const> arguments) {
  if (arguments.size() == 4 &&
      std::string_view(arguments[1]) == "--null-server") {
    return RunNullServer(static_cast<std::size_t>(std::atoll(arguments[2])),
                         std::atoi(arguments[3]));
  }
  Plan plan;
  std::string json_file;
  std::string only;
  for (const char* argument : arguments.subspan(1)) {
    const std::string text = argument;
    if (text.starts_with("--json=")) {
      json_file = text.substr(7);
    } else if (text.starts_with("--rounds=")) {
      plan.rounds = std::stoi(text.substr(9));
    } else if (text.starts_with("--only=")) {
      only = text.substr(7);
    } else {
      plan.relud = text;
    }
  }
  if (plan.relud.empty()) {
    fmt::print(stderr,
               "usage: serving_benchmark RELUD [--json=FILE] [--rounds=N] "
               "[--only=MODEL]\n");
    return 2;
  }
  return RunTable(plan, json_file, only);
}

}  // namespace
}  // namespace relu::benchmarks

int main(int argc, char** argv) {
  return relu::benchmarks::Main({argv, static_cast<std::size_t>(argc)});
}
