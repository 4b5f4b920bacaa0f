#include "tests/core/repository/offset_model.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/base/check.h"
#include "core/batching/inference_request.h"
#include "core/repository/model.h"
#include "tests/core/graph/model_builder.h"
#include "tests/core/repository/outcome.h"

namespace relu {

std::string OffsetModel(float offset) {
  ModelBuilder builder;
  builder.Input("x", {.sizes = {-1, 2}})
      .Floats("offset", {2}, {offset, offset})
      .Node("Add", {"x", "offset"}, "y")
      .Output("y");
  return builder.model().SerializeAsString();
}

std::filesystem::path WriteOffsetModel(const std::filesystem::path& file,
                                       float offset) {
  static std::atomic<int> writes = 0;
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << OffsetModel(offset);
  std::filesystem::last_write_time(
      file, std::filesystem::file_time_type::clock::now() -
                std::chrono::seconds(++writes));
  return file;
}

float OffsetOf(Model& model) {
  const std::array<float, 2> x = {};
  std::array<float, 2> y = {};
  Outcome outcome;
  InferenceRequest request;
  request.rows = 1;
  request.inputs = {reinterpret_cast<const std::byte*>(x.data())};
  request.outputs = {reinterpret_cast<std::byte*>(y.data())};
  request.done = outcome.done();
  InferenceRequest* const requests[] = {&request};
  model.scheduler().Submit(requests);
  CHECK(outcome.Wait().ok());
  CHECK(y[0] == y[1]);
  return y[0];
}

}  // namespace relu
