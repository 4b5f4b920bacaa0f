// OurEngine: relud's own, from the ONNX model to answers.

#ifndef TESTS_BENCHMARK_OUR_ENGINE_H_
#define TESTS_BENCHMARK_OUR_ENGINE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "core/plan/compiled_model.h"
#include "core/plan/workspace.h"
#include "core/tensor/tensor.h"
#include "tests/benchmark/engine.h"

namespace relu::benchmarks {

class OurEngine : public Engine {
 public:
  explicit OurEngine(int threads, std::string name = "relud")
      : threads_(threads), name_(std::move(name)) {}

  std::string name() const override { return name_; }
  std::string version() const override;
  // UNIMPLEMENTED also for more than one thread.
  absl::Status Prepare(const Network& network, const Batches& batches) override;
  // What the server does with a batch: the rows are copied in, the model runs,
  // the answers are copied out.
  void Run(std::size_t batch) override;
  std::vector<double> Answers() const override;

 private:
  int threads_;
  std::string name_;
  const Batches* batches_ = nullptr;  // Of the last Prepare().
  std::unique_ptr<const CompiledModel> model_;
  std::unique_ptr<Workspace> workspace_;
  std::vector<Tensor> outputs_;
};

}  // namespace relu::benchmarks

#endif  // TESTS_BENCHMARK_OUR_ENGINE_H_
