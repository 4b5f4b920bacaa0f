#include "client/cli/interval_statistics.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "client/server_info.h"

namespace relu {
namespace {

double MeanMicroseconds(const DurationTotal& before,
                        const DurationTotal& after) {
  if (after.count <= before.count) {
    return 0;
  }
  return std::chrono::duration<double, std::micro>(after.time - before.time) /
         std::chrono::duration<double, std::micro>(1) /
         static_cast<double>(after.count - before.count);
}

// The same model before; all zero if there is none that it can go on from.
ModelStatistics EarlierOf(const ModelStatistics& after,
                          const std::vector<ModelStatistics>& before) {
  const auto found =
      std::ranges::find_if(before, [&after](const ModelStatistics& other) {
        return other.name == after.name && other.version == after.version;
      });
  const bool goes_on = found != before.end() &&
                       found->success.count <= after.success.count &&
                       found->execution_count <= after.execution_count;
  return goes_on ? *found : ModelStatistics();
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> BatchSizes(
    const ModelStatistics& before, const ModelStatistics& after) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> sizes;
  for (const BatchStatistics& batch : after.batches) {
    std::uint64_t count = batch.compute_infer.count;
    for (const BatchStatistics& other : before.batches) {
      if (other.batch_size == batch.batch_size) {
        count -= std::min(count, other.compute_infer.count);
      }
    }
    if (count > 0) {
      sizes.emplace_back(batch.batch_size, count);
    }
  }
  std::ranges::sort(sizes);
  return sizes;
}

}  // namespace

std::vector<IntervalStatistics> StatisticsBetween(
    const std::vector<ModelStatistics>& before,
    const std::vector<ModelStatistics>& after) {
  std::vector<IntervalStatistics> models;
  for (const ModelStatistics& now : after) {
    const ModelStatistics then = EarlierOf(now, before);
    models.push_back(
        {.name = now.name,
         .version = now.version,
         .requests = now.success.count - then.success.count,
         .failures = now.fail.count - std::min(now.fail.count, then.fail.count),
         .rows = now.inference_count -
                 std::min(now.inference_count, then.inference_count),
         .batches = now.execution_count - then.execution_count,
         .total_us = MeanMicroseconds(then.success, now.success),
         .queue_us = MeanMicroseconds(then.queue, now.queue),
         .compute_input_us =
             MeanMicroseconds(then.compute_input, now.compute_input),
         .compute_infer_us =
             MeanMicroseconds(then.compute_infer, now.compute_infer),
         .compute_output_us =
             MeanMicroseconds(then.compute_output, now.compute_output),
         .batch_sizes = BatchSizes(then, now)});
  }
  return models;
}

double RowsPerBatch(const IntervalStatistics& figures) {
  return figures.batches == 0 ? 0
                              : static_cast<double>(figures.rows) /
                                    static_cast<double>(figures.batches);
}

}  // namespace relu
