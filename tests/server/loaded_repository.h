// LoadedRepository: real models, loaded from a temporary folder, for tests.

#ifndef TESTS_SERVER_LOADED_REPOSITORY_H_
#define TESTS_SERVER_LOADED_REPOSITORY_H_

#include <cstdint>
#include <latch>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/batching/inference_request.h"
#include "core/metrics/metrics.h"
#include "core/repository/model.h"
#include "core/repository/model_repository.h"
#include "proto/inference.pb.h"
#include "tests/integration/repository_builder.h"

namespace relu {

// For one thread, but for what it holds.
class LoadedRepository {
 public:
  struct Options {
    // Folders of tests/testdata/models.
    std::vector<std::string> models = {"digits_mlp"};
    int slots = 2;
    bool cast_model = false;        // Adds "casts": see onnx_model.h.
    bool fixed_cast_model = false;  // Adds "fixed_casts", with 3 rows.
    // Adds "coupled" and "static": see onnx_model.h.
    bool coupled_models = false;
    bool broken_model = false;  // Adds "broken", which cannot be loaded.
    ControlMode control = ControlMode::kNone;
    // The text of config.pbtxt of the first model; empty: none.
    std::string config = {};
    // The text of labels.txt beside it; empty: none.
    std::string labels = {};
  };

  explicit LoadedRepository(const Options& options);
  LoadedRepository() : LoadedRepository(Options()) {}

  ModelRepository& repository() { return *repository_; }
  Metrics& metrics() { return metrics_; }
  const std::filesystem::path& folder() const { return builder_.folder(); }
  std::shared_ptr<Model> model(std::string_view name = "digits_mlp");

 private:
  RepositoryBuilder builder_;
  Metrics metrics_{"1.2.3"};
  std::unique_ptr<ModelRepository> repository_;
};

// Keeps one execution slot of `model` busy, from construction to Release().
class SlotHolder {
 public:
  explicit SlotHolder(Model& model);
  ~SlotHolder();

  SlotHolder(const SlotHolder&) = delete;
  SlotHolder& operator=(const SlotHolder&) = delete;

  // Lets go; the thread that held the slot then runs what waits. Once.
  void Release();

 private:
  std::vector<std::vector<std::byte>> values_;
  InferenceRequest request_;
  std::latch held_{1};
  std::latch release_{1};
  bool released_ = false;
  std::thread thread_;
};

// Keeps the loader thread of a repository whose models clients control busy,
// from construction to Release() or the end.
class LoaderHolder {
 public:
  explicit LoaderHolder(ModelRepository& repository);
  ~LoaderHolder();

  LoaderHolder(const LoaderHolder&) = delete;
  LoaderHolder& operator=(const LoaderHolder&) = delete;

  // Once.
  void Release();

 private:
  // Shared with the callback, which may still be on its way out at the end.
  struct State {
    std::latch held{1};
    std::latch release{1};
  };
  const std::shared_ptr<State> state_ = std::make_shared<State>();
  bool released_ = false;
};

// A good request to digits_mlp, with raw contents: row i is filled with
// (first_row + i) / 1000.
inference::ModelInferRequest DigitsRequest(std::int64_t rows = 1,
                                           std::int64_t first_row = 0);

// Sets the parameters of an input or requested output in the region "r".
template <typename Tensor>
void PutInSharedMemory(std::int64_t offset, std::int64_t byte_size,
                       Tensor& tensor) {
  auto& parameters = *tensor.mutable_parameters();
  parameters["shared_memory_region"].set_string_param("r");
  parameters["shared_memory_offset"].set_int64_param(offset);
  parameters["shared_memory_byte_size"].set_int64_param(byte_size);
}

// Adds an input with raw contents, and the contents.
template <typename T>
void AddRawInput(inference::ModelInferRequest& request, const std::string& name,
                 const std::string& datatype,
                 const std::vector<std::int64_t>& shape,
                 const std::vector<T>& values) {
  auto& input = *request.add_inputs();
  input.set_name(name);
  input.set_datatype(datatype);
  for (const std::int64_t size : shape) {
    input.add_shape(size);
  }
  request.add_raw_input_contents()->assign(
      reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

}  // namespace relu

#endif  // TESTS_SERVER_LOADED_REPOSITORY_H_
