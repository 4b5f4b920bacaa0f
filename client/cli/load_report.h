// What `reluctl load` reports: the steps of a run, as a table, JSON or CSV.

#ifndef CLIENT_CLI_LOAD_REPORT_H_
#define CLIENT_CLI_LOAD_REPORT_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/interval_statistics.h"
#include "client/load/load_run.h"
#include "client/load/measurements.h"

namespace relu {

// One run at one pace.
struct LoadStep {
  load::Pace pace;
  load::LoadResult result;
  // What the server says of the same time; empty if it says nothing.
  std::vector<IntervalStatistics> server = {};
  std::vector<std::string> warnings = {};
};

// The outcome of a search.
struct LoadPeak {
  std::optional<double> per_second;  // nullopt: no rate was good.
  double percentile = 99;
  double target_ms = 0;
};

struct LoadReport {
  std::string server;
  std::string started;              // As 2030-12-31T23:59:59Z.
  std::vector<std::string> models;  // In the order of the mix.
  // How the run was set up, for people: names and values.
  std::vector<std::pair<std::string, std::string>> settings;
  int threads = 1;
  std::vector<LoadStep> steps;  // In the order they ran.
  std::optional<LoadPeak> peak;
};

// "64 in flight", "1000/s", "1000/s (Poisson)", "replay".
std::string PaceText(const load::Pace& pace);

// Good answers a second.
double CallsPerSecond(const load::Measurements& measurements);
double RowsPerSecond(const load::Measurements& measurements);

// The share of one core that each thread of the client used, from 0 to 1.
double ClientCpuShare(const load::Measurements& measurements, int threads);

// What makes the figures of a step doubtful, if anything does.
std::vector<std::string> WarningsOf(const load::Pace& pace,
                                    const load::LoadResult& result,
                                    int threads);

// One step in full, or a line for each.
std::string LoadReportTable(const LoadReport& report);

// One object with everything. Times are in microseconds.
std::string LoadReportJson(const LoadReport& report);

// A line of names, and one for each step.
std::string LoadReportCsv(const LoadReport& report);

}  // namespace relu

#endif  // CLIENT_CLI_LOAD_REPORT_H_
