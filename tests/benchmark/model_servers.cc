#include "tests/benchmark/model_servers.h"

#include <sched.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

#include "core/base/check.h"
#include "core/graph/onnx_import.h"
#include "core/plan/compiled_model.h"
#include "core/plan/workspace.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"
#include "proto/inference.pb.h"
#include "tests/benchmark/median.h"
#include "tests/benchmark/network.h"
#include "tests/integration/repository_builder.h"
#include "tests/integration/server_process.h"
#include "tests/support/h2_client.h"

namespace relu::benchmarks {
namespace {

constexpr char kPath[] = "/inference.GRPCInferenceService/ModelInfer";
constexpr int kConnections = 4;
constexpr std::size_t kServerCpu = 0;
constexpr std::size_t kClientCpu = 1;

void PinTo(std::size_t cpu) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(cpu, &cpus);
  CHECK(sched_setaffinity(0, sizeof(cpus), &cpus) == 0);
}

// The network as a file in the repository.
Network AddModel(const BenchmarkModel& model,
                 const RepositoryBuilder& builder) {
  absl::StatusOr<Network> network =
      model.sizes.empty()
          ? LoadTrainedNetwork("tests/testdata/models/" + model.name)
          : MakeRandomNetwork(model.name, {.sizes = model.sizes,
                                           .input_zeros = model.input_zeros,
                                           .hidden_zeros = model.hidden_zeros});
  CHECK(network.ok());
  const std::filesystem::path folder = builder.folder() / model.name / "1";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "model.onnx", std::ios::binary)
      << network->model.SerializeAsString();
  return *std::move(network);
}

// A request of `count` rows.
std::string RequestBytes(const Network& network, std::size_t row,
                         std::size_t count) {
  const Tensor& rows = network.inputs.front();
  const auto features = static_cast<std::size_t>(rows.shape()[1]);
  inference::ModelInferRequest request;
  request.set_model_name(network.name);
  auto* const input = request.add_inputs();
  input->set_name(network.input_names.front());
  input->set_datatype("FP32");
  input->add_shape(static_cast<std::int64_t>(count));
  input->add_shape(static_cast<std::int64_t>(features));
  const std::size_t size = features * sizeof(float);
  request.add_raw_input_contents(rows.bytes().data() + row * size,
                                 count * size);
  return request.SerializeAsString();
}

// Of all rows of the network, `count` in each.
std::vector<std::string> Requests(const Network& network, std::size_t count) {
  std::vector<std::string> requests;
  const auto rows = static_cast<std::size_t>(network.inputs[0].shape()[0]);
  for (std::size_t row = 0; row + count <= rows; row += count) {
    requests.push_back(RequestBytes(network, row, count));
  }
  return requests;
}

// The time of one row in the engine, with its copies in and out.
double ForwardPassUs(const std::filesystem::path& file,
                     const Network& network) {
  const auto graph = ImportOnnx(file);
  CHECK(graph.ok());
  const auto model = CompiledModel::Compile(*graph);
  CHECK(model.ok());
  Workspace workspace(*model, 1);
  std::vector<std::byte> output(model->outputs()[0].row_bytes);
  const Tensor& rows = network.inputs.front();
  const std::size_t row_bytes = model->inputs()[0].row_bytes;
  const std::size_t count = rows.bytes().size() / row_bytes;
  std::vector<double> times;
  for (std::size_t i = 0; i < 2000; ++i) {
    const std::byte* const row = rows.bytes().data() + i % count * row_bytes;
    const auto start = std::chrono::steady_clock::now();
    workspace.CopyIn(0, 0, 1, row);
    model->Run(1, workspace);
    workspace.CopyOut(0, 0, 1, output.data());
    times.push_back(std::chrono::duration<double, std::micro>(
                        std::chrono::steady_clock::now() - start)
                        .count());
  }
  return Median(std::move(times));
}

Measured StartServer(const std::string& name, const std::string& program,
                     const std::vector<std::string>& arguments,
                     const std::vector<std::string>& requests) {
  PinTo(kServerCpu);
  auto process = ServerProcess::Start(program, arguments);
  PinTo(kClientCpu);
  if (!process.ok()) {
    fmt::print(stderr, "{}\n", process.status().ToString());
    std::exit(1);
  }
  Measured measured{
      .name = name, .process = *std::move(process), .client = nullptr};
  measured.client = std::make_unique<H2Client>(measured.process->grpc_address(),
                                               kPath, requests, kConnections);
  return measured;
}

}  // namespace

ModelServers::ModelServers(const Plan& plan, const BenchmarkModel& model)
    : rounds_(plan.rounds), network_(AddModel(model, repository_)) {
  const std::vector<std::string> requests =
      Requests(network_, model.request_rows);
  const auto elements = ElementCount(network_.outputs.front().row_shape);
  CHECK(elements.has_value());
  // Around the values the answer has some 40 bytes.
  const std::size_t answer =
      model.request_rows * static_cast<std::size_t>(*elements) * sizeof(float) +
      40;
  null_ = StartServer(
      "the null server", std::filesystem::canonical("/proc/self/exe").string(),
      {"--null-server", fmt::format("{}", answer), "1"}, requests);
  const auto start = [&](const std::vector<std::string>& more) {
    return StartServer(fmt::format("relud {}", fmt::join(more, " ")),
                       plan.relud, Flags(more), requests);
  };
  relud_ = start({});
  unbatched_ = start({"--max-batch-rows=1"});
  polling_ = start({"--busy-poll=200"});
  forward_us_ = ForwardPassUs(
      repository_.folder() / model.name / "1" / "model.onnx", network_);
}

ModelServers::Rounds ModelServers::Compare(Measured& a, Measured& b,
                                           int in_flight) {
  Rounds rounds;
  a.client->Run(in_flight, kRoundTime / 4);
  b.client->Run(in_flight, kRoundTime / 4);
  for (int i = 0; i < rounds_; ++i) {
    const LoadFigures first = Run(a, in_flight);
    rounds.emplace_back(first, Run(b, in_flight));
  }
  return rounds;
}

LoadFigures ModelServers::Run(Measured& server, int in_flight) {
  return Noted(server, server.client->Run(in_flight, kRoundTime));
}

LoadFigures ModelServers::RunAtRate(Measured& server, double calls_per_second) {
  return Noted(server, server.client->RunAtRate(calls_per_second, kRoundTime));
}

LoadFigures ModelServers::Noted(const Measured& server,
                                const LoadFigures& figures) {
  if (figures.ok == 0) {
    fmt::print(stderr, "{}: no call was answered; the first ended with {}\n",
               server.name, figures.first_error);
    for (Measured* each : {&null_, &relud_, &unbatched_, &polling_}) {
      *each = {};
    }
    std::exit(1);
  }
  if (failed_ == 0) {
    first_error_ =
        fmt::format("of {} with status {}", server.name, figures.first_error);
  }
  failed_ += figures.failed;
  return figures;
}

std::string ModelServers::TakeFailures() {
  const std::size_t failed = std::exchange(failed_, 0);
  return failed == 0 ? ""
                     : fmt::format("; {} calls failed, the first one {}",
                                   failed, first_error_);
}

std::vector<std::string> ModelServers::Flags(
    const std::vector<std::string>& more) const {
  auto flags = ReludFlags(repository_.folder());
  flags.emplace_back("--allow-http=false");
  flags.insert(flags.end(), more.begin(), more.end());
  return flags;
}

}  // namespace relu::benchmarks
