// How many CPUs this process may use: the container's limit, not the host's.

#ifndef CORE_BASE_CPU_BUDGET_H_
#define CORE_BASE_CPU_BUDGET_H_

#include <filesystem>
#include <optional>

namespace relu {

// Returns the smaller of the CPUs this process may run on (its affinity mask)
// and CgroupCpuLimit(); at least 1. `root` stands for "/" and is there for
// tests.
int CpuBudget(const std::filesystem::path& root = "/");

// The CPU quota of this process's cgroup and of those around it (version 2
// `cpu.max` or version 1 `cpu.cfs_quota_us`), in CPUs: a part of one counts as
// one. nullopt if there is no limit.
std::optional<int> CgroupCpuLimit(const std::filesystem::path& root = "/");

}  // namespace relu

#endif  // CORE_BASE_CPU_BUDGET_H_
