#include "server/model_statistics.h"

#include <chrono>
#include <cstdint>
#include <string>

#include "core/metrics/model_metrics.h"
#include "core/plan/compiled_model.h"
#include "core/repository/model.h"
#include "proto/inference.pb.h"

namespace relu {
namespace {

void Fill(const TimeSum& time, inference::StatisticDuration& duration) {
  duration.set_count(time.count);
  duration.set_ns(static_cast<std::uint64_t>(time.sum.count()));
}

void FillRequests(const ModelFigures& figures,
                  inference::InferStatistics& statistics) {
  Fill(figures.request.total, *statistics.mutable_success());
  Fill(figures.failed, *statistics.mutable_fail());
  Fill(figures.queue.total, *statistics.mutable_queue());
  Fill(figures.compute_input, *statistics.mutable_compute_input());
  Fill(figures.compute_infer, *statistics.mutable_compute_infer());
  Fill(figures.compute_output, *statistics.mutable_compute_output());
  // Clients look for all of them.
  Fill({}, *statistics.mutable_cache_hit());
  Fill({}, *statistics.mutable_cache_miss());
}

}  // namespace

void FillStatistics(const Model& model,
                    inference::ModelStatistics& statistics) {
  const ModelFigures figures = model.metrics().Read();
  statistics.set_name(model.name());
  statistics.set_version(std::to_string(model.version()));
  statistics.set_last_inference(
      static_cast<std::uint64_t>(figures.last_request.count()));
  statistics.set_inference_count(figures.answered_rows);
  statistics.set_execution_count(figures.batches);
  FillRequests(figures, *statistics.mutable_inference_stats());
  for (const ModelFigures::BatchSize& size : figures.batch_sizes) {
    inference::InferBatchStatistics& batch = *statistics.add_batch_stats();
    batch.set_batch_size(static_cast<std::uint64_t>(size.rows));
    Fill(size.input, *batch.mutable_compute_input());
    Fill(size.infer, *batch.mutable_compute_infer());
    Fill(size.output, *batch.mutable_compute_output());
  }
  inference::MemoryUsage& memory = *statistics.add_memory_usage();
  memory.set_type("CPU");
  memory.set_byte_size(model.compiled().weight_bytes());
}

}  // namespace relu
