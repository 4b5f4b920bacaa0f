#include "core/metrics/process_families.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <system_error>
#include <vector>

#include "prometheus/client_metric.h"
#include "prometheus/metric_family.h"
#include "prometheus/metric_type.h"

namespace relu {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily OneMetric(const char* name, const char* help, MetricType type,
                       double value) {
  ClientMetric metric;
  (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) =
      value;
  return {name, help, type, {metric}};
}

MetricFamily ProcessGauge(const char* name, const char* help, double value) {
  return OneMetric(name, help, MetricType::Gauge, value);
}

double TimevalSeconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_usec) * 1e-6;
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return TimevalSeconds(usage.ru_utime) + TimevalSeconds(usage.ru_stime);
}

// Of /proc/self/status, such as "VmRSS"; without its unit.
double StatusField(const std::string& name) {
  std::ifstream file("/proc/self/status");
  std::string key;
  while (file >> key) {
    if (key == name + ":") {
      double value = 0;
      file >> value;
      return value;
    }
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return 0;
}

double OpenFiles() {
  std::error_code error;
  std::filesystem::directory_iterator files("/proc/self/fd", error);
  if (error) {
    return 0;
  }
  // One of them reads the folder.
  return static_cast<double>(std::distance(begin(files), end(files)) - 1);
}

double MaxFiles() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<double>(limit.rlim_cur);
}

}  // namespace

std::vector<MetricFamily> ProcessFamilies() {
  constexpr double kKibibyte = 1024;
  const struct mallinfo2 allocator = mallinfo2();
  return {
      OneMetric("process_cpu_seconds_total",
                "CPU time of the process, in user and in system mode.",
                MetricType::Counter, CpuSeconds()),
      ProcessGauge("process_resident_memory_bytes",
                   "Memory of the process that is in RAM.",
                   StatusField("VmRSS") * kKibibyte),
      ProcessGauge("process_virtual_memory_bytes",
                   "Address space of the process.",
                   StatusField("VmSize") * kKibibyte),
      ProcessGauge("process_open_fds", "Open files, sockets included.",
                   OpenFiles()),
      ProcessGauge("process_max_fds", "Files that may be open at most.",
                   MaxFiles()),
      ProcessGauge("process_threads", "Threads of the process.",
                   StatusField("Threads")),
      ProcessGauge("relu_allocator_allocated_bytes",
                   "Memory that the program has taken from its allocator.",
                   static_cast<double>(allocator.uordblks + allocator.hblkhd)),
      ProcessGauge("relu_allocator_reserved_bytes",
                   "Memory that the allocator has taken from the system.",
                   static_cast<double>(allocator.arena + allocator.hblkhd))};
}

}  // namespace relu
