#include "core/metrics/process_families.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "prometheus/metric_type.h"

namespace relu {
namespace {

std::map<std::string, double> Values() {
  std::map<std::string, double> values;
  for (const auto& family : ProcessFamilies()) {
    values[family.name] = family.type == prometheus::MetricType::Counter
                              ? family.metric.at(0).counter.value
                              : family.metric.at(0).gauge.value;
  }
  return values;
}

TEST(ProcessFamiliesTest, EveryFigureIsThere) {
  const std::map<std::string, double> values = Values();

  EXPECT_GE(values.at("process_cpu_seconds_total"), 0);
  // One page is the least that a process can have.
  EXPECT_GE(values.at("process_resident_memory_bytes"), 4096);
  EXPECT_GE(values.at("process_virtual_memory_bytes"),
            values.at("process_resident_memory_bytes"));
  EXPECT_GE(values.at("process_max_fds"), values.at("process_open_fds"));
  EXPECT_GE(values.at("process_threads"), 1);
  EXPECT_GE(values.at("relu_allocator_reserved_bytes"), 0);
  EXPECT_EQ(values.count("relu_allocator_allocated_bytes"), 1U);
}

TEST(ProcessFamiliesTest, OpenFilesAreCounted) {
  const double before = Values().at("process_open_fds");
  const int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(file, 0);

  EXPECT_EQ(Values().at("process_open_fds"), before + 1);

  close(file);
}

}  // namespace
}  // namespace relu
