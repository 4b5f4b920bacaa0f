// What it costs to look at the activity of a model that serves:
//
//   activity_benchmark deploy/models/*/1/model.onnx
//
// Batches of 1 and of 64 rows go through the scheduler of a model, in slices
// of a millisecond in turn: no row is looked at (twice: the second shows the
// noise), and the rate that the server chooses; then every row. It is one model
// in all slices, for copies of it differ by some 1 % by where their memory
// lies. Each figure is the median of how much longer than that without a row it
// took in the same round, with its 95 % interval. Half a minute for each size
// of batch.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <random>
#include <span>
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

// A model that serves batches of so many rows. For one thread.
class ServedBatches {
 public:
  ServedBatches(Model& model, std::int64_t rows)
      : model_(model), inputs_(RandomInputs(model.compiled(), rows)) {
    request_.rows = rows;
    for (const auto& input : inputs_) {
      request_.inputs.push_back(input.data());
    }
    for (const TensorSignature& output : model.compiled().outputs()) {
      request_.outputs.push_back(
          outputs_.emplace_back(output.Bytes(rows)).data());
    }
    request_.done = [](const absl::Status&) {};
  }

  // Looks at rows as `activity` does, after each batch in place of within it.
  // Returns how long that took, in seconds.
  double Serve(ModelActivity& activity, std::int64_t batches) {
    InferenceRequest* const requests[] = {&request_};
    const BatchSlice batch[] = {{.request = &request_,
                                 .first_row = 0,
                                 .rows = request_.rows,
                                 .status = absl::OkStatus()}};
    const auto start = std::chrono::steady_clock::now();
    for (std::int64_t i = 0; i < batches; ++i) {
      model_.scheduler().Submit(requests);
      activity.Sample(/*slot=*/0, request_.rows, batch);
      ModelActivity::ProcessDue();
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now() -
                                         start)
        .count();
  }

 private:
  Model& model_;
  const std::vector<std::vector<std::byte>> inputs_;
  std::vector<std::vector<std::byte>> outputs_;
  InferenceRequest request_;
};

// At this part of the numbers in order; 0.5: the median.
double Quantile(std::vector<double> numbers, double part) {
  std::ranges::sort(numbers);
  const auto last = static_cast<double>(numbers.size() - 1);
  return numbers[static_cast<std::size_t>(std::clamp(part, 0.0, 1.0) * last)];
}

// By what part `took` is longer than `base` of the same round: the median, and
// its 95 % interval by ranks.
std::string Longer(const std::vector<double>& base,
                   const std::vector<double>& took) {
  std::vector<double> percent;
  percent.reserve(base.size());
  for (std::size_t round = 0; round < base.size(); ++round) {
    percent.push_back(100 * (took[round] / base[round] - 1));
  }
  const double reach = 0.98 / std::sqrt(static_cast<double>(base.size()));
  return fmt::format("{:+.2f} % ({:+.2f} to {:+.2f})", Quantile(percent, 0.5),
                     Quantile(percent, 0.5 - reach),
                     Quantile(percent, 0.5 + reach));
}

// By activity: how long each round of so many slices took, in seconds.
std::vector<std::vector<double>> TimeInTurn(
    ServedBatches& served, std::span<ModelActivity* const> activities,
    std::int64_t slices, std::int64_t slice_batches, double seconds) {
  std::vector<std::vector<double>> took(activities.size());
  while (seconds > 0) {
    for (std::vector<double>& rounds : took) {
      rounds.push_back(0.0);
    }
    for (std::int64_t slice = 0; slice < slices; ++slice) {
      for (std::size_t i = 0; i < took.size(); ++i) {
        // There and back: the clock of the CPU may drift.
        const std::size_t turn =
            took[0].size() % 2 == 0 ? i : took.size() - 1 - i;
        const double time = served.Serve(*activities[turn], slice_batches);
        took[turn].back() += time;
        seconds -= time;
      }
    }
  }
  return took;
}

void MeasureRows(Model& model, std::int64_t rows) {
  const auto watch = [&](std::int64_t every) {
    return std::make_shared<ModelActivity>(
        model.compiled(), ActivityOptions{.sample_every = every});
  };
  const auto nothing = watch(0);
  const auto again = watch(0);
  const auto chosen = watch(ActivityOptions::kChoose);
  const auto each = watch(1);
  ServedBatches served(model, rows);
  served.Serve(*nothing, 200);
  const double batch_seconds = served.Serve(*nothing, 200) / 200;
  // A round has one pass, which runs 16 rows that were looked at: were there
  // one in some rounds and none in others, the median would not see it. Its
  // slices take a millisecond.
  const double pass_batches = static_cast<double>(16 * chosen->sample_every()) /
                              static_cast<double>(rows);
  const double slices = std::ceil(batch_seconds * pass_batches / 0.001);
  const double slice_batches = std::ceil(pass_batches / slices);
  const auto time = [&](std::span<ModelActivity* const> activities,
                        double seconds) {
    return TimeInTurn(served, activities, static_cast<std::int64_t>(slices),
                      static_cast<std::int64_t>(slice_batches), seconds);
  };
  ModelActivity* const some[] = {nothing.get(), again.get(), chosen.get()};
  const auto took = time(some, 25);
  ModelActivity* const all[] = {nothing.get(), each.get()};
  const auto each_took = time(all, 3);
  const double round_rows = slices * slice_batches * static_cast<double>(rows);
  fmt::print(
      "{} batches of {}: {:.2f} us a row; again {}, 1 row of {} looked at {}, "
      "each {}; {} rounds\n",
      model.name(), rows, 1e6 * Quantile(took[0], 0.5) / round_rows,
      Longer(took[0], took[1]), chosen->sample_every(),
      Longer(took[0], took[2]), Longer(each_took[0], each_took[1]),
      took[0].size());
  std::fflush(stdout);
}

void MeasureModel(const std::string& file) {
  Metrics metrics("1");
  ModelOptions options;
  options.name = file;
  options.file = file;
  options.activity_sample_every = 0;  // Those of MeasureRows() look.
  const auto model = Model::Load(options, metrics);
  if (!model.ok()) {
    fmt::print("{}\n", model.status().ToString());
    return;
  }
  for (const std::int64_t rows : {1, 64}) {
    MeasureRows(**model, rows);
  }
}

}  // namespace
}  // namespace relu

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    relu::MeasureModel(argv[i]);
  }
}
