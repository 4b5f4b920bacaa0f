#include "core/base/cpu_budget.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include "fmt/format.h"

namespace relu {
namespace {

// CPUs of the affinity mask, which cpusets also narrow.
int AffinityCpus() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof(mask), &mask) != 0) {
    return 1;
  }
  return std::max(1, CPU_COUNT(&mask));
}

// Quota and period in microseconds to whole CPUs: a part of one counts as one.
// `quota` is -1 (version 1) or not a number for no limit.
std::optional<int> QuotaCpus(double quota, double period) {
  if (!(quota > 0) || !(period > 0)) {
    return std::nullopt;
  }
  // No machine has a million CPUs; the bound keeps the result an int.
  return static_cast<int>(std::min(std::ceil(quota / period), 1e6));
}

// Version 2: "max 100000" or "150000 100000".
std::optional<int> CpuMax(const std::filesystem::path& folder) {
  std::ifstream stream(folder / "cpu.max");
  std::string quota;
  double period = 0;
  if (!(stream >> quota >> period) || quota == "max") {
    return std::nullopt;
  }
  return QuotaCpus(std::strtod(quota.c_str(), nullptr), period);
}

// Version 1: two files, quota -1 for no limit.
std::optional<int> CfsQuota(const std::filesystem::path& folder) {
  double quota = 0;
  double period = 0;
  if (!(std::ifstream(folder / "cpu.cfs_quota_us") >> quota) ||
      !(std::ifstream(folder / "cpu.cfs_period_us") >> period)) {
    return std::nullopt;
  }
  return QuotaCpus(quota, period);
}

// The path of our own group below the root of a hierarchy, from a line such as
// "0::/a/b" (version 2: no controllers) or "4:cpu,cpuacct:/a/b" (version 1).
// In a container it is often empty: the group is mounted as the root.
std::filesystem::path OwnGroup(const std::filesystem::path& file,
                               std::string_view controller) {
  std::ifstream stream(file);
  std::string line;
  while (std::getline(stream, line)) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) {
      continue;
    }
    const std::string controllers =
        fmt::format(",{},", line.substr(first + 1, second - first - 1));
    if (controllers.find(fmt::format(",{},", controller)) !=
        std::string::npos) {
      return std::filesystem::path(line.substr(second + 1)).relative_path();
    }
  }
  return {};
}

// The smallest limit of `group` and of all groups above it: each holds.
template <typename Limit>
std::optional<int> SmallestLimit(const std::filesystem::path& hierarchy,
                                 std::filesystem::path group, Limit limit) {
  std::optional<int> smallest;
  while (true) {
    if (const std::optional<int> cpus = limit(hierarchy / group); cpus) {
      smallest = std::min(*cpus, smallest.value_or(*cpus));
    }
    if (group.empty()) {
      return smallest;
    }
    group = group.parent_path();
  }
}

}  // namespace

std::optional<int> CgroupCpuLimit(const std::filesystem::path& root) {
  // Some machines have both versions, each with groups of its own.
  const std::filesystem::path mount = root / "sys/fs/cgroup";
  const std::filesystem::path groups = root / "proc/self/cgroup";
  const std::optional<int> v2 =
      SmallestLimit(mount, OwnGroup(groups, ""), &CpuMax);
  const std::optional<int> v1 =
      SmallestLimit(mount / "cpu", OwnGroup(groups, "cpu"), &CfsQuota);
  if (v1 && v2) {
    return std::min(*v1, *v2);
  }
  return v1 ? v1 : v2;
}

int CpuBudget(const std::filesystem::path& root) {
  const int affinity = AffinityCpus();
  return std::min(affinity, CgroupCpuLimit(root).value_or(affinity));
}

}  // namespace relu
