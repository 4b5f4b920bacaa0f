// The machine that a measurement was made on.

#ifndef TESTS_BENCHMARK_MACHINE_H_
#define TESTS_BENCHMARK_MACHINE_H_

#include <string>
#include <utility>
#include <vector>

namespace relu::benchmarks {

// What it is: the CPU, its cores, caches and instruction set, the compiler.
std::vector<std::pair<std::string, std::string>> DescribeMachine();

// "2026-01-31 12:00 UTC, load average 0.10 0.20 0.30".
std::string DateAndLoad();

}  // namespace relu::benchmarks

#endif  // TESTS_BENCHMARK_MACHINE_H_
