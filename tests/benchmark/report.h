// What engine_benchmark found, as text and as JSON.

#ifndef TESTS_BENCHMARK_REPORT_H_
#define TESTS_BENCHMARK_REPORT_H_

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "tests/benchmark/cases.h"
#include "tests/benchmark/measurement.h"

namespace relu::benchmarks {

// One row of a table. The first engine of the result is ours.
struct ReportRow {
  Case measured;
  std::size_t batch = 0;
  Measurement measurement;
  Result result;
};

// The line of a row on the terminal, and what its numbers are.
std::string TextOf(const ReportRow& row);
std::string TextHeader();

struct Report {
  // "CPU": "...", in the order of the document.
  std::vector<std::pair<std::string, std::string>> machine;
  // Names and versions.
  std::vector<std::pair<std::string, std::string>> engines;
  std::vector<ReportRow> rows;
};

absl::Status WriteJson(const Report& report, const std::filesystem::path& file);

}  // namespace relu::benchmarks

#endif  // TESTS_BENCHMARK_REPORT_H_
