// What a relud takes before it serves anybody.

#ifndef TESTS_BENCHMARK_PROCESS_FIGURES_H_
#define TESTS_BENCHMARK_PROCESS_FIGURES_H_

#include <filesystem>
#include <string>
#include <vector>

namespace relu::benchmarks {

struct ProcessFigures {
  // By start: from it until the server is ready, and what it then has in RAM.
  std::vector<double> ready_ms;
  std::vector<double> resident_mb;
  // Of the program: what is loaded of its file, and so about what is left when
  // symbols and line tables are stripped; and all of it.
  double loaded_mb = 0;
  double file_mb = 0;
};

// Starts `relud` with these models so many times, one after the other. A start
// that fails ends the benchmark.
ProcessFigures MeasureProcesses(const std::string& relud,
                                const std::filesystem::path& models,
                                int starts);

}  // namespace relu::benchmarks

#endif  // TESTS_BENCHMARK_PROCESS_FIGURES_H_
