// What it costs to look at the activity of a model that serves:
//
//   activity_benchmark deploy/models/*/1/model.onnx
//
// Batches of 1 and of 64 rows go through the schedulers of four copies of a
// model in turn: no row is looked at (twice: the second shows the noise), the
// rate that the server chooses, and every row. Each figure is the median of how
// much longer than the first a copy took in the same round.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "core/batching/inference_request.h"
#include "core/metrics/metrics.h"
#include "core/plan/compiled_model.h"
#include "core/repository/model.h"
#include "core/repository/model_activity.h"
#include "core/tensor/data_type.h"

namespace relu {
namespace {

// The values of a request: half of the floats are zero, integers are 0.
std::vector<std::vector<std::byte>> RandomInputs(const CompiledModel& model,
                                                 std::int64_t rows) {
  std::mt19937 random(7);
  std::vector<std::vector<std::byte>> inputs;
  for (const TensorSignature& input : model.inputs()) {
    std::vector<std::byte>& bytes = inputs.emplace_back(input.Bytes(rows));
    if (input.type == DataType::kFp32) {
      auto* const floats = reinterpret_cast<float*>(bytes.data());
      for (std::size_t i = 0; i < bytes.size() / sizeof(float); ++i) {
        floats[i] =
            std::max(static_cast<float>(random() % 1000) / 500 - 1, 0.0F);
      }
    }
  }
  return inputs;
}

// Serves `batches` requests; returns how long that took.
double Serve(Model& model, InferenceRequest& request, std::int64_t batches) {
  InferenceRequest* const requests[] = {&request};
  const auto start = std::chrono::steady_clock::now();
  for (std::int64_t i = 0; i < batches; ++i) {
    model.scheduler().Submit(requests);
    ModelActivity::ProcessDue();
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
      .count();
}

void MeasureRows(const std::string& file, std::int64_t rows) {
  Metrics metrics("1");
  std::vector<std::unique_ptr<Model>> models;
  for (const std::int64_t every : {0, 0, -1, 1}) {
    ModelOptions options;
    options.name = fmt::format("m{}", models.size());
    options.file = file;
    options.activity_sample_every = every;
    auto model = Model::Load(options, metrics);
    if (!model.ok()) {
      fmt::print("{}\n", model.status().ToString());
      return;
    }
    models.push_back(*std::move(model));
  }
  const CompiledModel& compiled = models[0]->compiled();
  const auto inputs = RandomInputs(compiled, rows);
  InferenceRequest request;
  request.rows = rows;
  std::vector<std::vector<std::byte>> outputs;
  for (const auto& input : inputs) {
    request.inputs.push_back(input.data());
  }
  for (const TensorSignature& output : compiled.outputs()) {
    request.outputs.push_back(outputs.emplace_back(output.Bytes(rows)).data());
  }
  request.done = [](const absl::Status&) {};
  // Rounds of some 20 ms.
  constexpr std::int64_t kTrial = 200;
  const double trial = Serve(*models[0], request, kTrial);
  const auto batches = static_cast<std::int64_t>(0.02 / trial * kTrial) + 1;
  constexpr int kRounds = 101;
  std::vector<std::vector<double>> ratios(models.size());
  std::vector<double> base;
  for (int round = 0; round < kRounds; ++round) {
    base.push_back(Serve(*models[0], request, batches));
    for (std::size_t i = 1; i < models.size(); ++i) {
      ratios[i].push_back(Serve(*models[i], request, batches) / base.back());
    }
  }
  const auto median = [](std::vector<double> numbers) {
    std::ranges::nth_element(numbers, numbers.begin() + kRounds / 2);
    return numbers[kRounds / 2];
  };
  fmt::print(
      "{} batches of {}: {:.2f} us a row; again {:+.2f} %, 1 row of {} looked "
      "at {:+.2f} %, each {:+.1f} %\n",
      file, rows, 1e6 * median(base) / static_cast<double>(batches * rows),
      100 * (median(ratios[1]) - 1), models[2]->activity().sample_every(),
      100 * (median(ratios[2]) - 1), 100 * (median(ratios[3]) - 1));
  std::fflush(stdout);
}

}  // namespace
}  // namespace relu

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    for (const std::int64_t rows : {1, 64}) {
      relu::MeasureRows(argv[i], rows);
    }
  }
}
