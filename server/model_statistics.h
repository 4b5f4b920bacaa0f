// What ModelStatistics says of a model, with the meaning that Triton gives it
// and that perf_analyzer reads.

#ifndef SERVER_MODEL_STATISTICS_H_
#define SERVER_MODEL_STATISTICS_H_

#include "core/repository/model.h"

namespace inference {
class ModelStatistics;
}

namespace relu {

// Fills an empty message:
//
//   inference_count   rows of the requests that were answered
//   execution_count   batches that were run
//   inference_stats   success, fail: requests, from arrival to answer. queue:
//                     from the queue to the first batch. compute_input,
//                     compute_infer, compute_output: gather, run, scatter of
//                     the batches that a request was part of, each in full. All
//                     but fail count the requests that were answered. There is
//                     no cache: its figures are 0
//   batch_stats       the same three of the batches themselves, by their rows
//   last_inference    when a request was answered last
//   memory_usage      the weights
void FillStatistics(const Model& model, inference::ModelStatistics& statistics);

}  // namespace relu

#endif  // SERVER_MODEL_STATISTICS_H_
