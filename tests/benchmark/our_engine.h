// OurEngine: relud's own, from the ONNX model to answers.

#ifndef TESTS_BENCHMARK_OUR_ENGINE_H_
#define TESTS_BENCHMARK_OUR_ENGINE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "core/base/thread_team.h"
#include "core/plan/compile_options.h"
#include "core/plan/compiled_model.h"
#include "core/plan/workspace.h"
#include "core/tensor/tensor.h"
#include "tests/benchmark/engine.h"

namespace relu::benchmarks {

class OurEngine : public Engine {
 public:
  // On `threads` >= 1 threads, this one included.
  explicit OurEngine(std::string name, int threads, CompileOptions options = {})
      : name_(std::move(name)), options_(options), team_(threads) {}

  std::string name() const override { return name_; }
  std::string version() const override;
  absl::Status Prepare(const Network& network, const Batches& batches) override;
  // What the server does with a batch: the rows are copied in, the model runs,
  // the answers are copied out.
  void Run(std::size_t batch) override;
  std::vector<double> Answers() const override;

 private:
  std::string name_;
  CompileOptions options_;
  ThreadTeam team_;
  const Batches* batches_ = nullptr;  // Of the last Prepare().
  std::unique_ptr<const CompiledModel> model_;
  std::unique_ptr<Workspace> workspace_;
  std::vector<Tensor> outputs_;
};

}  // namespace relu::benchmarks

#endif  // TESTS_BENCHMARK_OUR_ENGINE_H_
