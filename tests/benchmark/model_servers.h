// ModelServers: the servers that a model of serving_benchmark is measured with.

#ifndef TESTS_BENCHMARK_MODEL_SERVERS_H_
#define TESTS_BENCHMARK_MODEL_SERVERS_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/benchmark/network.h"
#include "tests/integration/repository_builder.h"
#include "tests/integration/server_process.h"
#include "tests/support/h2_client.h"

namespace relu::benchmarks {

constexpr std::chrono::milliseconds kRoundTime{500};

// What a figure has to be.
struct Floor {
  double value = 0;
  bool at_least = true;  // Or at most.
};

// One that the table names.
struct BenchmarkModel {
  std::string name;
  // Of a random one; a trained one, with its real rows, is in tests/testdata.
  std::vector<std::size_t> sizes = {};
  double input_zeros = 0;
  double hidden_zeros = 0;
  std::size_t request_rows = 1;
  std::optional<Floor> calls = std::nullopt;  // Against the null RPC.
};

// A server on its CPU with a client.
struct Measured {
  std::string name;  // For messages.
  std::unique_ptr<ServerProcess> process;
  std::unique_ptr<H2Client> client;
};

struct Plan {
  std::string relud;
  int rounds = 7;
};

// Servers are processes on one CPU, and run one at a time; their client, this
// process, is on another. For one thread.
class ModelServers {
 public:
  ModelServers(const Plan& plan, const BenchmarkModel& model);

  Measured& null() { return null_; }
  Measured& relud() { return relud_; }
  Measured& unbatched() { return unbatched_; }  // --max-batch-rows=1
  Measured& polling() { return polling_; }      // --busy-poll=200
  double forward_us() const { return forward_us_; }

  // Runs both in turn, and returns all their figures.
  using Rounds = std::vector<std::pair<LoadFigures, LoadFigures>>;
  Rounds Compare(Measured& a, Measured& b, int in_flight);

  // A round of H2Client::Run() or RunAtRate(). Calls that fail are counted for
  // TakeFailures(); if all do, the servers and the program end.
  LoadFigures Run(Measured& server, int in_flight);
  LoadFigures RunAtRate(Measured& server, double calls_per_second);
  // How many have failed since it was last asked, in words; or nothing.
  std::string TakeFailures();

 private:
  LoadFigures Noted(const Measured& server, const LoadFigures& figures);
  std::vector<std::string> Flags(const std::vector<std::string>& more) const;

  const int rounds_;
  RepositoryBuilder repository_;
  const Network network_;
  Measured null_;
  Measured relud_;
  Measured unbatched_;
  Measured polling_;
  double forward_us_ = 0;
  std::size_t failed_ = 0;
  std::string first_error_;
};

}  // namespace relu::benchmarks

#endif  // TESTS_BENCHMARK_MODEL_SERVERS_H_
