#include "tests/server/loaded_repository.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "core/base/check.h"
#include "core/plan/compiled_model.h"
#include "tests/server/onnx_model.h"

namespace relu {

LoadedRepository::LoadedRepository(const Options& options) {
  for (const std::string& name : options.models) {
    builder_.Add(name, "tests/testdata/models/" + name + "/model.onnx");
  }
  if (!options.config.empty()) {
    std::ofstream(folder() / options.models.front() / "config.pbtxt")
        << options.config;
  }
  if (!options.labels.empty()) {
    std::ofstream(folder() / options.models.front() / "labels.txt")
        << options.labels;
  }
  if (options.cast_model) {
    WriteCastModel(folder() / "casts/1/model.onnx");
  }
  if (options.fixed_cast_model) {
    WriteCastModel(folder() / "fixed_casts/1/model.onnx", 3);
  }
  if (options.coupled_models) {
    WriteCoupledModel(folder() / "coupled/1/model.onnx");
    WriteStaticModel(folder() / "static/1/model.onnx");
  }
  if (options.broken_model) {
    std::filesystem::create_directories(folder() / "broken/1");
    std::ofstream(folder() / "broken/1/model.onnx") << "no model";
  }
  auto loaded = ModelRepository::Load({.folder = folder(),
                                       .slots = options.slots,
                                       .max_batch_rows = 64,
                                       // A slow machine is no overload.
                                       .max_queue_time = std::chrono::hours(1),
                                       .control = options.control,
                                       .load_at_start = {"*"}},
                                      metrics_);
  CHECK(loaded.ok());
  repository_ = *std::move(loaded);
  repository_->Start();
}

std::shared_ptr<Model> LoadedRepository::model(std::string_view name) {
  auto found = repository_->Find(name, "");
  CHECK(found.ok());
  return *std::move(found);
}

SlotHolder::SlotHolder(Model& model) {
  request_.rows = 1;
  for (const TensorSignature& input : model.compiled().inputs()) {
    values_.emplace_back(input.row_bytes);
    request_.inputs.push_back(values_.back().data());
  }
  request_.outputs.assign(model.compiled().outputs().size(), nullptr);
  // The scheduler holds the slot until `done` returns.
  request_.done = [this](const absl::Status& /*status*/) {
    held_.count_down();
    release_.wait();
  };
  thread_ = std::thread([this, &model] {
    InferenceRequest* const requests[] = {&request_};
    model.scheduler().Submit(requests);
  });
  held_.wait();
}

SlotHolder::~SlotHolder() {
  if (!released_) {
    Release();
  }
  thread_.join();
}

void SlotHolder::Release() {
  released_ = true;
  release_.count_down();
}

LoaderHolder::LoaderHolder(ModelRepository& repository) {
  repository.UnloadModel("none", [state = state_](const absl::Status& status) {
    CHECK(status.ok());
    const std::shared_ptr<State> keep = state;
    keep->held.count_down();
    keep->release.wait();
  });
  state_->held.wait();
}

LoaderHolder::~LoaderHolder() {
  if (!released_) {
    Release();
  }
}

void LoaderHolder::Release() {
  released_ = true;
  state_->release.count_down();
}

inference::ModelInferRequest DigitsRequest(std::int64_t rows,
                                           std::int64_t first_row) {
  constexpr std::size_t kFeatures = 64;
  std::vector<float> values;
  for (std::int64_t i = 0; i < rows; ++i) {
    values.insert(values.end(), kFeatures,
                  static_cast<float>(first_row + i) / 1000.0F);
  }
  inference::ModelInferRequest request;
  request.set_model_name("digits_mlp");
  AddRawInput(request, "input", "FP32",
              {rows, static_cast<std::int64_t>(kFeatures)}, values);
  return request;
}

}  // namespace relu
