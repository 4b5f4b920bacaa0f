#include "tests/benchmark/machine.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "core/kernels/kernels.h"

namespace relu::benchmarks {
namespace {

std::string FirstLine(const std::string& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

std::string CpuModel() {
  std::ifstream stream("/proc/cpuinfo");
  for (std::string line; std::getline(stream, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return "unknown";
}

// "L1 Data 32K, L2 Unified 1024K", as the first core sees them.
std::string Caches() {
  std::string text;
  for (int i = 0; i < 8; ++i) {
    const std::string folder =
        fmt::format("/sys/devices/system/cpu/cpu0/cache/index{}/", i);
    const std::string level = FirstLine(folder + "level");
    if (!level.empty()) {
      text +=
          fmt::format("{}L{} {} {}", text.empty() ? "" : ", ", level,
                      FirstLine(folder + "type"), FirstLine(folder + "size"));
    }
  }
  return text.empty() ? "unknown" : text;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> DescribeMachine() {
  return {
      {"CPU", CpuModel()},
      {"cores", fmt::format("{}", std::thread::hardware_concurrency())},
      {"caches", Caches()},
      {"instruction set of relud", kernels::InstructionSet()},
      {"compiler", "g++ " __VERSION__},
  };
}

std::string DateAndLoad() {
  double loads[3] = {};
  getloadavg(loads, 3);
  return fmt::format("{:%Y-%m-%d %H:%M} UTC, load average {:.2f} {:.2f} {:.2f}",
                     fmt::gmtime(std::time(nullptr)), loads[0], loads[1],
                     loads[2]);
}

}  // namespace relu::benchmarks
