// ONNX Runtime, called in this process: a child process behind a pipe would
// cost more than a small network takes, and could not be measured in turn with
// the other engines. The rows and the answers are bound to tensors beforehand,
// so that Run() is one call and copies nothing.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"
#include "tests/benchmark/answers.h"
#include "tests/benchmark/onnxruntime_api.h"
#include "tests/benchmark/peers.h"

namespace relu::benchmarks {
namespace {

// ONNX Runtime's objects are freed by functions out of its table.
template <typename T>
using Owned = std::unique_ptr<T, void (*)(T*)>;

// Calls `function`, which writes a T to its last argument.
template <typename T, typename F, typename... Arguments>
absl::StatusOr<Owned<T>> Create(const ort::Api& api, void (*release)(T*),
                                F function, Arguments... arguments) {
  T* object = nullptr;
  RETURN_IF_ERROR(api.ToStatus(api[function](arguments..., &object)));
  return Owned<T>(object, release);
}

// The numbers of ONNX's TensorProto.
absl::StatusOr<int> ElementTypeOf(DataType type) {
  switch (type) {
    case DataType::kFp32:
      return 1;
    case DataType::kInt32:
      return 6;
    case DataType::kInt64:
      return 7;
    case DataType::kFp64:
      return 11;
    default:
      return absl::UnimplementedError("a type that no benchmark has");
  }
}

class OnnxRuntimeEngine : public Engine {
 public:
  OnnxRuntimeEngine(const ort::Api& api, Owned<ort::Environment> environment,
                    Owned<ort::SessionOptions> options,
                    Owned<ort::MemoryInfo> memory)
      : api_(api),
        run_(api_[ort::Run()]),
        environment_(std::move(environment)),
        options_(std::move(options)),
        memory_(std::move(memory)) {}

  std::string name() const override { return "ONNX Runtime"; }
  std::string version() const override { return api_.version(); }
  absl::Status Prepare(const Network& network, const Batches& batches) override;
  void Run(std::size_t batch) override;
  std::vector<double> Answers() const override { return ElementsOf(outputs_); }

 private:
  // A tensor of ONNX Runtime on `data`: batch `batch` of `count`.
  absl::Status Bind(const Tensor& data, std::size_t batch, std::size_t count,
                    std::vector<const ort::Value*>& bound);
  void Clear();

  ort::Api api_;
  decltype(std::declval<ort::Api>()[ort::Run()]) run_;
  Owned<ort::Environment> environment_;
  Owned<ort::SessionOptions> options_;
  Owned<ort::MemoryInfo> memory_;
  Owned<ort::Session> session_{nullptr, nullptr};
  std::vector<Owned<ort::Value>> values_;
  std::vector<std::string> names_;  // Inputs, then outputs.
  std::vector<const char*> input_names_;
  std::vector<const char*> output_names_;
  std::vector<Tensor> outputs_;
  // Tensors of values_ on the rows, by batch and input; and on outputs_.
  std::vector<const ort::Value*> bound_inputs_;
  std::vector<const ort::Value*> bound_outputs_;
};

void OnnxRuntimeEngine::Clear() {
  bound_inputs_.clear();
  bound_outputs_.clear();
  values_.clear();
  session_.reset();
  names_.clear();
  input_names_.clear();
  output_names_.clear();
}

absl::Status OnnxRuntimeEngine::Bind(const Tensor& data, std::size_t batch,
                                     std::size_t count,
                                     std::vector<const ort::Value*>& bound) {
  ASSIGN_OR_RETURN(const int element_type, ElementTypeOf(data.type()));
  Shape shape = data.shape();
  shape[0] /= static_cast<std::int64_t>(count);
  const std::size_t size_bytes = data.bytes().size() / count;
  // Its interface takes no const; it does not write to inputs.
  auto* const first =
      const_cast<std::byte*>(data.bytes().data() + batch * size_bytes);
  ASSIGN_OR_RETURN(
      Owned<ort::Value> value,
      Create(api_, api_[ort::ReleaseValue()], ort::CreateTensorWithData(),
             memory_.get(), static_cast<void*>(first), size_bytes, shape.data(),
             shape.size(), element_type));
  bound.push_back(value.get());
  values_.push_back(std::move(value));
  return absl::OkStatus();
}

absl::Status OnnxRuntimeEngine::Prepare(const Network& network,
                                        const Batches& batches) {
  Clear();
  const std::string bytes = network.model.SerializeAsString();
  ASSIGN_OR_RETURN(
      session_,
      Create(api_, api_[ort::ReleaseSession()], ort::CreateSessionFromArray(),
             environment_.get(), static_cast<const void*>(bytes.data()),
             bytes.size(), options_.get()));
  names_ = network.input_names;
  for (const Output& output : network.outputs) {
    names_.push_back(output.name);
  }
  for (std::size_t i = 0; i < names_.size(); ++i) {
    (i < network.input_names.size() ? input_names_ : output_names_)
        .push_back(names_[i].c_str());
  }
  for (std::size_t batch = 0; batch < batches.count; ++batch) {
    for (const Tensor& input : batches.inputs) {
      RETURN_IF_ERROR(Bind(input, batch, batches.count, bound_inputs_));
    }
  }
  outputs_ = MakeOutputs(network, batches.rows);
  for (const Tensor& output : outputs_) {
    RETURN_IF_ERROR(Bind(output, 0, 1, bound_outputs_));
  }
  return absl::OkStatus();
}

void OnnxRuntimeEngine::Run(std::size_t batch) {
  const std::size_t inputs = input_names_.size();
  ort::Status* const status = run_(
      session_.get(), /*options=*/nullptr, input_names_.data(),
      bound_inputs_.data() + batch * inputs, inputs, output_names_.data(),
      output_names_.size(), const_cast<ort::Value**>(bound_outputs_.data()));
  CHECK(status == nullptr);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Engine>> MakeOnnxRuntimeEngine(
    const std::filesystem::path& library, int threads) {
  ASSIGN_OR_RETURN(const ort::Api api, ort::Api::Load(library));
  ASSIGN_OR_RETURN(
      Owned<ort::Environment> environment,
      Create(api, api[ort::ReleaseEnvironment()], ort::CreateEnvironment(),
             ort::kLogErrors, "benchmark"));
  ASSIGN_OR_RETURN(Owned<ort::SessionOptions> options,
                   Create(api, api[ort::ReleaseSessionOptions()],
                          ort::CreateSessionOptions()));
  RETURN_IF_ERROR(api.ToStatus(
      api[ort::SetGraphOptimization()](options.get(), ort::kAllOptimizations)));
  RETURN_IF_ERROR(
      api.ToStatus(api[ort::SetIntraOpThreads()](options.get(), threads)));
  ASSIGN_OR_RETURN(
      Owned<ort::MemoryInfo> memory,
      Create(api, api[ort::ReleaseMemoryInfo()], ort::CreateCpuMemoryInfo(),
             ort::kDeviceAllocator, ort::kDefaultMemory));
  return std::make_unique<OnnxRuntimeEngine>(
      api, std::move(environment), std::move(options), std::move(memory));
}

}  // namespace relu::benchmarks
