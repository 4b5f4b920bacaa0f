// What Rank saves beside the batch of full rows:
//
//   rank_benchmark             the engine alone
//   rank_benchmark PATH/relud  and over loopback, with the bytes of each call
//
// 256 shared features and 64 of each item, 512-256-64. Each figure is the
// median of interleaved runs; the answers are compared, to the bit.

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "client/infer_request.h"
#include "client/inference_client.h"
#include "client/rank.h"
#include "client/rank_message.h"
#include "core/base/check.h"
#include "core/batching/inference_request.h"
#include "core/batching/shared_values.h"
#include "core/graph/onnx_import.h"
#include "core/metrics/guarantee_metrics.h"
#include "core/plan/compiled_model.h"
#include "core/plan/workspace.h"
#include "core/repository/model_guarantees.h"
#include "tests/benchmark/network.h"
#include "tests/integration/repository_builder.h"
#include "tests/integration/server_process.h"

namespace relu::benchmarks {
namespace {

constexpr std::size_t kShared = 256;
constexpr std::size_t kOwn = 64;
constexpr std::size_t kWidth = kShared + kOwn;
constexpr std::array<std::int64_t, 3> kItems = {16, 64, 512};
// Rows of one batch in the server, by default.
constexpr std::int64_t kBatchRows = 64;
constexpr int kRounds = 201;

// Microseconds of what `clock` measures.
double Now(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e6 +
         static_cast<double>(now.tv_nsec) * 1e-3;
}

// The time of each of two that run in turns, such that the `share` of the runs
// took less.
std::array<double, 2> Compare(
    int rounds, clockid_t clock, double share,
    const std::array<std::function<void()>, 2>& runs) {
  std::array<std::vector<double>, 2> times;
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const double start = Now(clock);
      runs[i]();
      times[i].push_back(Now(clock) - start);
    }
  }
  std::array<double, 2> found{};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    std::ranges::sort(times[i]);
    found[i] = times[i][static_cast<std::size_t>(share * rounds)];
  }
  return found;
}

// Items as they are sent to Rank, and as full rows.
struct Items {
  std::vector<float> shared;
  std::vector<float> own;
  std::vector<float> rows;
};

Items MakeItems(const Network& network, std::int64_t count) {
  const std::span<const float> values = network.inputs[0].As<float>();
  Items items;
  items.shared.assign(values.begin(), values.begin() + kShared);
  for (std::int64_t row = 0; row < count; ++row) {
    const auto first = values.begin() + row * static_cast<std::int64_t>(kWidth);
    items.own.insert(items.own.end(), first + kShared, first + kWidth);
    items.rows.insert(items.rows.end(), items.shared.begin(),
                      items.shared.end());
    items.rows.insert(items.rows.end(), first + kShared, first + kWidth);
  }
  return items;
}

const std::byte* BytesOf(const std::vector<float>& values) {
  return reinterpret_cast<const std::byte*>(values.data());
}

// What a model without a domain checks of each call of Rank: that the values as
// they were sent, and the answers, are numbers. In microseconds.
double CheckTime(const CompiledModel& model, const SharedValues& shared,
                 const Items& items, std::vector<std::byte>& output,
                 std::int64_t count) {
  GuaranteeMetrics metrics;
  const ModelGuarantees guarantees(model, {}, {}, std::nullopt, metrics);
  InferenceRequest request;
  request.rows = count;
  request.inputs = {BytesOf(items.own)};
  request.shared = {shared};
  request.outputs = {output.data()};
  const auto check = [&] {
    GuaranteeFindings findings;
    CHECK(guarantees.CheckFinite(request, findings).ok());
    CHECK(guarantees.CheckOutputs(request, findings).ok());
  };
  return Compare(kRounds, CLOCK_THREAD_CPUTIME_ID, 0.5, {check, check})[1];
}

// The engine, in batches as the server's, with the copies in and out.
void MeasureEngine(const Network& network) {
  const auto graph = ImportOnnx(network.model, "");
  CHECK(graph.ok());
  const auto model = CompiledModel::Compile(*graph);
  CHECK(model.ok());
  for (const std::int64_t batch : {kBatchRows, std::int64_t{512}}) {
    for (const std::int64_t count : kItems) {
      if (batch != kBatchRows && count <= kBatchRows) {
        continue;
      }
      const Items items = MakeItems(network, count);
      Workspace workspace(*model, batch);
      const std::size_t row_bytes = model->outputs()[0].row_bytes;
      std::array<std::vector<std::byte>, 2> outputs;
      for (std::vector<std::byte>& output : outputs) {
        output.resize(static_cast<std::size_t>(count) * row_bytes);
      }
      const SharedValues shared{
          .pieces = {{.offset_bytes = 0, .bytes = kShared * sizeof(float)}},
          .values = BytesOf(items.shared)};
      const auto run = [&](bool rank) {
        for (std::int64_t row = 0; row < count; row += batch) {
          const std::int64_t rows = std::min(batch, count - row);
          const auto at = static_cast<std::size_t>(row);
          workspace.ForgetAlike();
          if (rank) {
            GatherShared(*model, 0, shared,
                         BytesOf(items.own) + at * kOwn * sizeof(float),
                         {.begin = 0, .end = rows}, workspace);
            workspace.NoteAlike(0, rows);
          } else {
            workspace.CopyIn(0, 0, rows,
                             BytesOf(items.rows) + at * kWidth * sizeof(float));
          }
          model->Run(rows, workspace);
          workspace.CopyOut(0, 0, rows,
                            outputs[rank ? 1 : 0].data() + at * row_bytes);
        }
      };
      const auto [full, rank] =
          Compare(kRounds, CLOCK_THREAD_CPUTIME_ID, 0.5,
                  {[&] { run(false); }, [&] { run(true); }});
      CHECK(outputs[0] == outputs[1]);
      const double checks = CheckTime(*model, shared, items, outputs[1], count);
      fmt::print(
          "engine, {} items in batches of {}: full rows {:.0f} us, shared once "
          "{:.0f} us, {:.2f} times as fast; checks {:.2f} us, {:.2f} %\n",
          count, batch, full, rank, full / rank, checks, 100 * checks / rank);
    }
  }
}

void MeasureServer(const Network& network, const std::string& relud) {
  const RepositoryBuilder repository;
  const std::filesystem::path folder = repository.folder() / network.name / "1";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "model.onnx", std::ios::binary)
      << network.model.SerializeAsString();
  const auto server =
      ServerProcess::Start(relud, ReludFlags(repository.folder()));
  CHECK(server.ok());
  const auto client = InferenceClient::Create((*server)->grpc_address());
  CHECK(client.ok());
  for (const std::int64_t count : kItems) {
    const Items items = MakeItems(network, count);
    InferRequest full(network.name);
    full.AddInput<float>(network.input_names[0],
                         std::vector<std::int64_t>{count, kWidth}, items.rows);
    const RankRequest rank{
        .model = network.name,
        .shared = {RankValues<float>(network.input_names[0], {1, kShared},
                                     items.shared)},
        .items = {RankValues<float>(network.input_names[0], {count, kOwn},
                                    items.own)},
        .element = 0};
    const auto rows = (*client)->Infer(full);
    const auto scores = (*client)->Rank(rank);
    CHECK(rows.ok() && scores.ok());
    const auto outputs = rows->Values<float>(network.outputs[0].name);
    CHECK(outputs.ok());
    for (std::size_t i = 0; i < scores->scores.size(); ++i) {
      CHECK(std::memcmp(
                &scores->scores[i],
                &(*outputs)[i * (outputs->size() / scores->scores.size())],
                sizeof(float)) == 0);
    }
    const auto [full_us, rank_us] =
        Compare(501, CLOCK_MONOTONIC, 0.1,
                {[&] { CHECK((*client)->Infer(full).ok()); },
                 [&] { CHECK((*client)->Rank(rank).ok()); }});
    const std::size_t full_bytes = items.rows.size() * sizeof(float);
    const std::size_t rank_bytes = EncodeRankRequest(rank).size();
    fmt::print(
        "server, {} items: ModelInfer {:.0f} us and {} bytes of values, Rank "
        "{:.0f} us and a message of {} bytes, {:.2f} times as fast, {:.1f} "
        "times as small\n",
        count, full_us, full_bytes, rank_us, rank_bytes, full_us / rank_us,
        static_cast<double>(full_bytes) / static_cast<double>(rank_bytes));
  }
}

}  // namespace
}  // namespace relu::benchmarks

int main(int argc, char** argv) {
  const auto network = relu::benchmarks::MakeRandomNetwork(
      "rank", {.sizes = {320, 512, 256, 64}});
  CHECK(network.ok());
  relu::benchmarks::MeasureEngine(*network);
  if (argc > 1) {
    relu::benchmarks::MeasureServer(*network, argv[1]);
  }
}
