// EmptyCall: what an engine takes for a model that computes nothing, measured
// in turn with everything else.

#ifndef TESTS_BENCHMARK_EMPTY_CALL_H_
#define TESTS_BENCHMARK_EMPTY_CALL_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "tests/benchmark/engine.h"

namespace relu::benchmarks {

class EmptyCall : public Engine {
 public:
  explicit EmptyCall(std::unique_ptr<Engine> engine);

  std::string name() const override { return engine_->name() + ", empty call"; }
  std::string version() const override { return engine_->version(); }
  // Whatever the network is, it stays with the model that computes nothing.
  absl::Status Prepare(const Network& network, const Batches& batches) override;
  void Run(std::size_t batch) override { engine_->Run(batch % batches_.count); }
  std::vector<double> Answers() const override { return engine_->Answers(); }

 private:
  Network network_;
  Batches batches_;
  std::unique_ptr<Engine> engine_;  // Uses the two before.
};

}  // namespace relu::benchmarks

#endif  // TESTS_BENCHMARK_EMPTY_CALL_H_
