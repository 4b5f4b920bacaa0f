// Engine: one way to run a network, ours or a peer's, as the benchmark sees it.

#ifndef TESTS_BENCHMARK_ENGINE_H_
#define TESTS_BENCHMARK_ENGINE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "tests/benchmark/network.h"

namespace relu::benchmarks {

// From the caller's rows to the answers in memory of the engine, each time: no
// engine may keep a copy of the rows. For one thread.
class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  virtual std::string name() const = 0;
  virtual std::string version() const = 0;

  // Gets ready to run `batches`, in any way that makes Run() fast. Both must
  // live until the next call or the end of the engine. UNIMPLEMENTED if the
  // engine cannot run this network.
  virtual absl::Status Prepare(const Network& network,
                               const Batches& batches) = 0;

  // Computes batch `batch` of the prepared batches.
  virtual void Run(std::size_t batch) = 0;

  // All elements of all outputs of the last Run().
  virtual std::vector<double> Answers() const = 0;
};

}  // namespace relu::benchmarks

#endif  // TESTS_BENCHMARK_ENGINE_H_
