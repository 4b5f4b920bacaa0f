#include "core/base/cpu_budget.h"

#include <sched.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>

#include "gtest/gtest.h"

namespace relu {
namespace {

// A folder that stands for "/", with the files of the cgroups.
class CpuBudgetTest : public ::testing::Test {
 protected:
  CpuBudgetTest() {
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
  }
  ~CpuBudgetTest() override { std::filesystem::remove_all(root_); }

  void Write(const std::filesystem::path& file, std::string_view text) {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }

  const std::filesystem::path root_ =
      std::filesystem::path(::testing::TempDir()) /
      ::testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(CpuBudgetTest, NoCgroupFilesMeanNoLimit) {
  EXPECT_EQ(CgroupCpuLimit(root_), std::nullopt);
}

TEST_F(CpuBudgetTest, V2QuotaIsWholeCpus) {
  Write("proc/self/cgroup", "0::/\n");
  Write("sys/fs/cgroup/cpu.max", "300000 100000\n");

  EXPECT_EQ(CgroupCpuLimit(root_), 3);
}

TEST_F(CpuBudgetTest, V2MaxMeansNoLimit) {
  Write("proc/self/cgroup", "0::/\n");
  Write("sys/fs/cgroup/cpu.max", "max 100000\n");

  EXPECT_EQ(CgroupCpuLimit(root_), std::nullopt);
}

TEST_F(CpuBudgetTest, PartOfCpuCountsAsOne) {
  Write("proc/self/cgroup", "0::/\n");
  Write("sys/fs/cgroup/cpu.max", "250000 100000\n");
  EXPECT_EQ(CgroupCpuLimit(root_), 3);

  Write("sys/fs/cgroup/cpu.max", "1000 100000\n");
  EXPECT_EQ(CgroupCpuLimit(root_), 1);

  Write("sys/fs/cgroup/cpu.max", "100000 100000\n");
  EXPECT_EQ(CgroupCpuLimit(root_), 1);

  Write("sys/fs/cgroup/cpu.max", "100001 100000\n");
  EXPECT_EQ(CgroupCpuLimit(root_), 2);
}

TEST_F(CpuBudgetTest, V2OwnGroupIsFoundByItsPath) {
  Write("proc/self/cgroup", "0::/kubepods/pod1\n");
  Write("sys/fs/cgroup/kubepods/pod1/cpu.max", "200000 100000\n");

  EXPECT_EQ(CgroupCpuLimit(root_), 2);
}

TEST_F(CpuBudgetTest, V2SmallestLimitOfNestedGroupsHolds) {
  Write("proc/self/cgroup", "0::/a/b/c\n");
  Write("sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
  Write("sys/fs/cgroup/a/b/cpu.max", "400000 100000\n");
  Write("sys/fs/cgroup/a/cpu.max", "200000 50000\n");
  Write("sys/fs/cgroup/cpu.max", "800000 100000\n");
  EXPECT_EQ(CgroupCpuLimit(root_), 4);

  Write("sys/fs/cgroup/a/cpu.max", "150000 50000\n");
  EXPECT_EQ(CgroupCpuLimit(root_), 3);
}

TEST_F(CpuBudgetTest, OtherGroupsAreNotRead) {
  Write("proc/self/cgroup", "0::/a\n");
  Write("sys/fs/cgroup/b/cpu.max", "100000 100000\n");

  EXPECT_EQ(CgroupCpuLimit(root_), std::nullopt);
}

TEST_F(CpuBudgetTest, V1QuotaIsWholeCpus) {
  Write("proc/self/cgroup", "4:cpu,cpuacct:/\n2:memory:/x\n");
  Write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "150000\n");
  Write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");

  EXPECT_EQ(CgroupCpuLimit(root_), 2);
}

TEST_F(CpuBudgetTest, V1MinusOneMeansNoLimit) {
  Write("proc/self/cgroup", "4:cpu,cpuacct:/\n");
  Write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  Write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");

  EXPECT_EQ(CgroupCpuLimit(root_), std::nullopt);
}

TEST_F(CpuBudgetTest, V1GroupIsThatOfTheCpuController) {
  // "cpuset" and "cpuacct" only look like it.
  Write("proc/self/cgroup",
        "9:cpuset:/wrong\n5:cpuacct,cpu:/a/b\n1:name=systemd:/wrong\n");
  Write("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "500000\n");
  Write("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n");
  Write("sys/fs/cgroup/cpu/wrong/cpu.cfs_quota_us", "100000\n");
  Write("sys/fs/cgroup/cpu/wrong/cpu.cfs_period_us", "100000\n");

  EXPECT_EQ(CgroupCpuLimit(root_), 5);
}

TEST_F(CpuBudgetTest, V1InContainerIsMountedAsRoot) {
  // Without a cgroup namespace the path is the host's, and not to be found.
  Write("proc/self/cgroup", "4:cpu,cpuacct:/docker/0123\n");
  Write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n");
  Write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");

  EXPECT_EQ(CgroupCpuLimit(root_), 2);
}

TEST_F(CpuBudgetTest, BothVersionsAreReadWithTheirOwnGroups) {
  Write("proc/self/cgroup", "4:cpu:/one\n0::/two\n");
  Write("sys/fs/cgroup/cpu/one/cpu.cfs_quota_us", "200000\n");
  Write("sys/fs/cgroup/cpu/one/cpu.cfs_period_us", "100000\n");
  Write("sys/fs/cgroup/two/cpu.max", "300000 100000\n");
  EXPECT_EQ(CgroupCpuLimit(root_), 2);

  Write("sys/fs/cgroup/two/cpu.max", "100000 100000\n");
  EXPECT_EQ(CgroupCpuLimit(root_), 1);
}

TEST_F(CpuBudgetTest, NonsenseMeansNoLimit) {
  Write("proc/self/cgroup", "no colons\n:\n0::/\n");
  for (const char* text : {"", "x", "0 100000", "100000 0", "-5 100000",
                           "nan 100000", "100000", "abc 100000"}) {
    Write("sys/fs/cgroup/cpu.max", text);

    EXPECT_EQ(CgroupCpuLimit(root_), std::nullopt) << text;
  }
}

TEST_F(CpuBudgetTest, HugeQuotaIsBounded) {
  Write("proc/self/cgroup", "0::/\n");
  Write("sys/fs/cgroup/cpu.max", "1e300 1\n");

  EXPECT_EQ(CgroupCpuLimit(root_), 1'000'000);
}

TEST_F(CpuBudgetTest, BudgetWithoutQuotaIsTheAffinityMask) {
  cpu_set_t mask;
  ASSERT_EQ(sched_getaffinity(0, sizeof(mask), &mask), 0);

  EXPECT_EQ(CpuBudget(root_), CPU_COUNT(&mask));
}

TEST_F(CpuBudgetTest, BudgetIsTheSmallerOfMaskAndQuota) {
  cpu_set_t mask;
  ASSERT_EQ(sched_getaffinity(0, sizeof(mask), &mask), 0);
  Write("proc/self/cgroup", "0::/\n");

  Write("sys/fs/cgroup/cpu.max", "100000 100000\n");
  EXPECT_EQ(CpuBudget(root_), 1);

  Write("sys/fs/cgroup/cpu.max", "100000000 100000\n");
  EXPECT_EQ(CpuBudget(root_), CPU_COUNT(&mask));
}

TEST_F(CpuBudgetTest, BudgetOfThisProcessIsAtLeastOne) {
  EXPECT_GE(CpuBudget(), 1);
}

}  // namespace
}  // namespace relu
