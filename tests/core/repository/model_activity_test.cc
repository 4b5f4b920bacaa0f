#include "core/repository/model_activity.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/batching/inference_request.h"
#include "core/plan/compiled_model.h"
#include "core/relu/activity_baseline.h"
#include "core/relu/activity_counts.h"
#include "core/tensor/tensor.h"
#include "tests/core/relu/activity_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

// The rows of a tensor as requests of a few rows each, in batches of one.
class ServedRows {
 public:
  ServedRows(const CompiledModel& model, Tensor rows)
      : model_(model), rows_(std::move(rows)) {}

  void Sample(ModelActivity& activity, std::int64_t batch_rows) {
    const std::int64_t count = rows_.shape()[0];
    for (std::int64_t first = 0; first < count; first += batch_rows) {
      Sample(activity, first, std::min(batch_rows, count - first));
    }
  }

  void Sample(ModelActivity& activity, std::int64_t first, std::int64_t rows,
              const absl::Status& status = absl::OkStatus(), int slot = 0) {
    InferenceRequest request;
    request.rows = rows_.shape()[0];
    request.inputs = {rows_.bytes().data()};
    const BatchSlice batch[] = {{.request = &request,
                                 .first_row = first,
                                 .rows = rows,
                                 .status = status}};
    activity.Sample(slot, rows, batch);
  }

  // What every `every`-th row does, all of them run one by one.
  ActivityCounts Counts(std::int64_t every) const {
    ActivityPass pass(model_, 1);
    ActivityCounts counts(model_);
    for (std::int64_t row = 0; row < rows_.shape()[0]; row += every) {
      const std::byte* const inputs[] = {rows_.bytes().data() +
                                         static_cast<std::size_t>(row) *
                                             model_.inputs()[0].row_bytes};
      pass.Run(1, inputs, counts);
    }
    return counts;
  }

 private:
  const CompiledModel& model_;
  const Tensor rows_;
};

std::shared_ptr<ModelActivity> Watch(const CompiledModel& model,
                                     ActivityOptions options, int slots = 1) {
  return std::make_shared<ModelActivity>(model, std::move(options), slots);
}

void ExpectSameCounts(const ActivityCounts& found,
                      const ActivityCounts& wanted) {
  EXPECT_EQ(found.rows, wanted.rows);
  for (std::size_t i = 0; i < wanted.layers.size(); ++i) {
    EXPECT_EQ(found.layers[i].on, wanted.layers[i].on) << i;
    EXPECT_EQ(found.layers[i].largest, wanted.layers[i].largest) << i;
    for (std::size_t j = 0; j < wanted.layers[i].sum.size(); ++j) {
      EXPECT_NEAR(found.layers[i].sum[j], wanted.layers[i].sum[j], 1e-9);
    }
  }
}

// Whatever the batches: they are cut differently, the rows are the same.
TEST(ModelActivityTest, EverySoManyRowsAreCounted) {
  const CompiledModel model = TwoLayers();
  for (const std::int64_t every : {1, 3, 7}) {
    for (const std::int64_t batch_rows : {1, 5, 64, 1000}) {
      const auto activity = Watch(model, {.sample_every = every});
      ServedRows served(model, TwoLayerRows(1000, 1));
      served.Sample(*activity, batch_rows);
      const ActivityReport report = activity->Read();
      ExpectSameCounts(report.total, served.Counts(every));
      EXPECT_EQ(report.sample_every, every);
      EXPECT_EQ(report.skipped_rows, 0U);
    }
  }
}

TEST(ModelActivityTest, WindowsAreScoredWhenTheyAreComplete) {
  const CompiledModel model = TwoLayers();
  const auto activity =
      Watch(model, {.sample_every = 1, .baseline = TwoLayerBaseline(model)});
  ServedRows clean(model, TwoLayerRows(300, 3));
  clean.Sample(*activity, 0, 127);
  EXPECT_EQ(activity->Read().windows, 0U);
  EXPECT_FALSE(activity->Read().scores.has_value());
  clean.Sample(*activity, 127, 1);
  ActivityReport report = activity->Read();
  EXPECT_EQ(report.windows, 1U);
  EXPECT_EQ(report.window.rows, 128);
  EXPECT_EQ(report.drifted_windows, 0U);
  ASSERT_TRUE(report.scores.has_value());

  ServedRows drifted(model, TwoLayerRows(256, 4, /*amount_unit=*/1.2F));
  drifted.Sample(*activity, 64);
  report = activity->Read();
  EXPECT_EQ(report.windows, 3U);
  EXPECT_EQ(report.drifted_windows, 2U);
  EXPECT_EQ(report.total.rows, 384);
}

TEST(ModelActivityTest, FiguresAreThoseOfTheReport) {
  const CompiledModel model = TwoLayers();
  const ActivityBaseline baseline = TwoLayerBaseline(model);
  const auto activity = Watch(model, {.sample_every = 1, .baseline = baseline});
  ServedRows served(model, TwoLayerRows(140, 3));
  served.Sample(*activity, 140);
  const ActivityReport report = activity->Read();
  const ActivityFigures figures = activity->Figures();
  EXPECT_TRUE(figures.enabled);
  EXPECT_TRUE(figures.has_baseline);
  EXPECT_EQ(figures.sampled_rows, 140U);
  EXPECT_EQ(figures.windows, 1U);
  EXPECT_EQ(figures.input_score, report.scores->inputs);
  EXPECT_EQ(figures.input_threshold, baseline.input_threshold);
  ASSERT_EQ(figures.layers.size(), 2U);
  const LayerFigures& layer = figures.layers[1];
  EXPECT_EQ(layer.layer, model.activations()[1].name);
  EXPECT_EQ(layer.dead_neurons, report.total.layers[1].dead());
  EXPECT_EQ(layer.always_on_neurons, report.total.layers[1].always_on(140));
  EXPECT_EQ(layer.firing_score, report.scores->firing[1]);
  EXPECT_EQ(layer.magnitude_threshold, baseline.layers[1].magnitude_threshold);
  double on = 0;
  for (const std::int64_t count : report.total.layers[1].on) {
    on += static_cast<double>(count);
  }
  EXPECT_NEAR(layer.sparsity, 1 - on / (140 * 12), 1e-12);
  EXPECT_GT(layer.largest, 0);
}

TEST(ModelActivityTest, ThreadsThatServeRunWhatTheirBatchesCopied) {
  const CompiledModel model = TwoLayers();
  const auto activity = Watch(model, {.sample_every = 1});
  ServedRows served(model, TwoLayerRows(32, 3));
  served.Sample(*activity, 32);  // As many as may wait.
  ModelActivity::ProcessDue();
  // There is room again, so nothing is run now, and nothing is skipped.
  served.Sample(*activity, 32);
  const ActivityReport report = activity->Read();
  EXPECT_EQ(report.total.rows, 64);
  EXPECT_EQ(report.skipped_rows, 0U);
}

TEST(ModelActivityTest, ManyThreadsLoseNoRow) {
  const CompiledModel model = TwoLayers();
  constexpr int kThreads = 4;
  const auto activity = Watch(model, {.sample_every = 5}, kThreads);
  constexpr std::int64_t kRows = 2000;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, slot = i] {
      ServedRows served(model, TwoLayerRows(kRows, 3));
      for (std::int64_t row = 0; row < kRows; row += 8) {
        served.Sample(*activity, row, 8, absl::OkStatus(), slot);
        ModelActivity::ProcessDue();
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  const ActivityReport report = activity->Read();
  EXPECT_EQ(report.total.rows + static_cast<std::int64_t>(report.skipped_rows),
            kThreads * kRows / 5);
  EXPECT_GT(report.total.rows, 0);
}

TEST(ModelActivityTest, RowsWithoutAnswersAreLeftOut) {
  const CompiledModel model = TwoLayers();
  const auto activity = Watch(model, {.sample_every = 1});
  ServedRows served(model, TwoLayerRows(20, 3));
  served.Sample(*activity, 0, 10, absl::InvalidArgumentError("row 3"));
  served.Sample(*activity, 10, 10);
  EXPECT_EQ(activity->Read().total.rows, 10);
}

TEST(ModelActivityTest, RowsThatShareValuesAreWholeRows) {
  const CompiledModel model = TwoLayers();
  Tensor rows = TwoLayerRows(20, 3);
  const std::span<float> values = rows.As<float>();
  const std::size_t width = values.size() / 20;
  std::vector<float> own;  // All but the first of each row.
  for (std::size_t row = 0; row < 20; ++row) {
    values[row * width] = values[0];
    const auto whole = values.subspan(row * width, width);
    own.insert(own.end(), whole.begin() + 1, whole.end());
  }
  const float shared = values[0];
  InferenceRequest request;
  request.rows = 20;
  request.inputs = {reinterpret_cast<const std::byte*>(own.data())};
  request.shared = {{.pieces = {{.offset_bytes = 0, .bytes = sizeof(float)}},
                     .values = reinterpret_cast<const std::byte*>(&shared)}};
  const BatchSlice batch[] = {
      {.request = &request, .first_row = 5, .rows = 15, .status = {}}};
  const auto activity = Watch(model, {.sample_every = 1});
  activity->Sample(/*slot=*/0, /*rows=*/15, batch);

  const auto wanted = Watch(model, {.sample_every = 1});
  ServedRows served(model, std::move(rows));
  served.Sample(*wanted, 5, 15);
  ExpectSameCounts(activity->Read().total, wanted->Read().total);
}

TEST(ModelActivityTest, AfterCloseNothingIsRun) {
  const CompiledModel model = TwoLayers();
  const auto activity = Watch(model, {.sample_every = 1});
  ServedRows served(model, TwoLayerRows(20, 3));
  served.Sample(*activity, 0, 20);
  activity->Close();
  ModelActivity::ProcessDue();
  served.Sample(*activity, 0, 20);
  const ActivityReport report = activity->Read();
  EXPECT_EQ(report.total.rows, 0);
  EXPECT_EQ(report.skipped_rows, 20U);
}

TEST(ModelActivityTest, ZeroLooksAtNothing) {
  const CompiledModel model = TwoLayers();
  const auto activity = Watch(model, {.sample_every = 0});
  EXPECT_FALSE(activity->enabled());
  EXPECT_EQ(ModelActivity::BytesFor(model, 0), 0U);
  EXPECT_FALSE(activity->Figures().enabled);
  ServedRows served(model, TwoLayerRows(20, 3));
  served.Sample(*activity, 20);
}

TEST(ModelActivityTest, ChosenRateIsOddAndSmall) {
  const CompiledModel model = TwoLayers();
  const std::int64_t every = SampleEvery(model);
  EXPECT_EQ(every % 2, 1);
  EXPECT_GT(every, 100);
  EXPECT_LT(every, 10'000);
  const auto activity = Watch(model, {});
  EXPECT_EQ(activity->Read().sample_every, every);
  EXPECT_GT(ModelActivity::BytesFor(model, -1), 0U);
}

// Its rows are copied, and nothing else.
TEST(ModelActivityTest, ModelWithoutStepsIsLookedAt) {
  GraphBuilder builder;
  builder.Output(builder.Input("x", {2}));
  const CompiledModel model = CompileActivity(builder.Build());
  ASSERT_TRUE(model.report().steps.empty());
  const std::int64_t every = SampleEvery(model);
  EXPECT_EQ(every % 2, 1);
  EXPECT_GT(every, 100);
  EXPECT_LT(every, 10'000);
  const auto activity = Watch(model, {});
  ASSERT_TRUE(activity->enabled());
  ServedRows served(model, FloatTensor({1, 2}, {3, 4}));
  served.Sample(*activity, 1);
  EXPECT_EQ(activity->Read().total.rows, 1);
}

}  // namespace
}  // namespace relu
