// Models are replaced under full load, in every way in which a folder can
// change, through the real binary: no request fails, every answer is to the bit
// that of a version that there was, and memory does not grow. RELUD names the
// binary.

#include <signal.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/infer_request.h"
#include "client/infer_result.h"
#include "client/inference_client.h"
#include "core/base/mutex.h"
#include "core/metrics/metrics.h"
#include "core/repository/model.h"
#include "tests/core/graph/model_builder.h"
#include "tests/integration/repository_builder.h"
#include "tests/integration/server_process.h"
#include "tests/support/sanitizers.h"

namespace relu {
namespace {

namespace fs = std::filesystem;

using testing::HasSubstr;

constexpr std::size_t kInputs = 64;
constexpr std::size_t kHidden = 512;
constexpr std::size_t kOutputs = 8;

using Answer = std::array<float, kOutputs>;

// An MLP of 1.2 MB whose answers tell its generation: they differ by it.
std::string NetworkOfGeneration(int generation) {
  std::minstd_rand random(1);
  std::uniform_real_distribution<float> weight(-0.1F, 0.1F);
  const auto draw = [&](std::size_t count) {
    std::vector<float> values(count);
    for (float& value : values) {
      value = weight(random);
    }
    return values;
  };
  ModelBuilder builder;
  builder.Input("x", {.sizes = {-1, kInputs}})
      .Floats("w1", {kInputs, kHidden}, draw(kInputs * kHidden))
      .Floats("w2", {kHidden, kHidden}, draw(kHidden * kHidden))
      .Floats("w3", {kHidden, kOutputs}, draw(kHidden * kOutputs))
      .Floats("b3", {kOutputs},
              std::vector<float>(kOutputs, static_cast<float>(generation)))
      .Node("MatMul", {"x", "w1"}, "h1")
      .Node("Relu", {"h1"}, "a1")
      .Node("MatMul", {"a1", "w2"}, "h2")
      .Node("Relu", {"h2"}, "a2")
      .Node("Gemm", {"a2", "w3", "b3"}, "y")
      .Output("y");
  return builder.model().SerializeAsString();
}

std::vector<float> Row() {
  std::vector<float> row(kInputs);
  for (std::size_t i = 0; i < kInputs; ++i) {
    row[i] = static_cast<float>(i % 7) / 7.0F;
  }
  return row;
}

// What our engine, in this process, answers for Row().
Answer AnswerOf(const fs::path& onnx_file) {
  Metrics metrics("1");
  const auto model = Model::Load({.name = "m", .file = onnx_file}, metrics);
  EXPECT_TRUE(model.ok()) << model.status();
  const std::vector<float> row = Row();
  Answer answer{};
  InferenceRequest request;
  request.rows = 1;
  request.inputs = {reinterpret_cast<const std::byte*>(row.data())};
  request.outputs = {reinterpret_cast<std::byte*>(answer.data())};
  request.done = [](const absl::Status& status) { EXPECT_TRUE(status.ok()); };
  InferenceRequest* const requests[] = {&request};
  (*model)->scheduler().Submit(requests);
  (*model)->scheduler().Drain();
  return answer;
}

// The answers of all generations, by generation. Thread-safe.
class Answers {
 public:
  void Add(const Answer& answer) {
    const MutexLock lock(mu_);
    answers_.push_back(answer);
  }

  // The generation of an answer, to the bit; -1: it is of none.
  int Generation(std::span<const std::byte> bytes) const {
    const MutexLock lock(mu_);
    for (std::size_t i = answers_.size(); i > 0; --i) {
      if (bytes.size() == sizeof(Answer) &&
          std::memcmp(bytes.data(), answers_[i - 1].data(), bytes.size()) ==
              0) {
        return static_cast<int>(i - 1);
      }
    }
    return -1;
  }

 private:
  mutable Mutex mu_;
  std::vector<Answer> answers_ ABSL_GUARDED_BY(mu_);
};

// The folder of model "m", changed as operators change it.
class ModelFolder {
 public:
  ModelFolder(const fs::path& repository, Answers& answers)
      : repository_(repository), answers_(answers) {}

  fs::path path() const { return repository_ / "m"; }

  // Makes the network of the next generation and notes its answer.
  int NextGeneration() {
    ++generation_;
    bytes_ = NetworkOfGeneration(generation_);
    const fs::path file = repository_ / ".made" / "model.onnx";
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << bytes_;
    answers_.Add(AnswerOf(file));
    return generation_;
  }

  // Copies the current generation to a version, piece by piece; `between` is
  // called when half of it is there.
  template <typename Between>
  void Copy(int version, Between between) {
    const fs::path folder = path() / std::to_string(version);
    fs::create_directories(folder);
    std::ofstream stream(folder / "model.onnx", std::ios::binary);
    const std::size_t half = bytes_.size() / 2;
    stream << std::string_view(bytes_).substr(0, half) << std::flush;
    between();
    stream << std::string_view(bytes_).substr(half);
  }

  // Puts it there in one step.
  void Rename(int version) {
    fs::rename(repository_ / ".made", path() / std::to_string(version));
  }

  void WriteBad(int version) {
    const fs::path folder = path() / std::to_string(version);
    fs::create_directories(folder);
    std::ofstream(folder / "model.onnx") << "this is no model";
  }

  void Remove(int version) { fs::remove_all(path() / std::to_string(version)); }

  void Configure(const std::string& text) {
    std::ofstream(path() / ".new") << text;
    fs::rename(path() / ".new", path() / "config.pbtxt");
  }

 private:
  const fs::path repository_;
  Answers& answers_;
  int generation_ = -1;
  std::string bytes_;
};

InferRequest Request(const std::vector<float>& row,
                     const std::string& version = "") {
  static const std::vector<std::int64_t> shape = {1, kInputs};
  InferRequest request("m", version);
  request.AddInput<float>("x", std::span(shape), row);
  return request;
}

// Asks without pause, many at a time, on a connection of its own.
class LoadingClient {
 public:
  LoadingClient(const std::string& address, const Answers& answers)
      : client_(InferenceClient::Create(address).value()),
        answers_(answers),
        thread_([this] { Run(); }) {}

  // Ends it and returns how many were answered.
  int Stop() {
    stop_ = true;
    thread_.join();
    return answered_;
  }

 private:
  void Run() {
    const std::vector<float> row = Row();
    int newest = 0;
    while (!stop_) {
      std::array<std::future<absl::StatusOr<InferResult>>, 16> calls;
      for (auto& call : calls) {
        call = client_->InferAsync(Request(row));
      }
      int newest_now = newest;
      for (auto& call : calls) {
        const absl::StatusOr<InferResult> result = call.get();
        ASSERT_TRUE(result.ok()) << result.status();
        const int generation =
            answers_.Generation((*result->Output("y"))->bytes);
        ASSERT_GE(generation, newest) << "no such version, or an older one";
        newest_now = std::max(newest_now, generation);
        ++answered_;
      }
      newest = newest_now;
    }
  }

  const std::unique_ptr<InferenceClient> client_;
  const Answers& answers_;
  std::atomic<bool> stop_ = false;
  int answered_ = 0;
  std::thread thread_;
};

class ReloadTest : public testing::Test {
 protected:
  void Start() {
    fs::create_directories(folder_.path());
    folder_.NextGeneration();
    folder_.Rename(1);
    auto flags = ReludFlags(repository_.folder());
    flags.insert(flags.end(),
                 {"--model-control-mode=poll", "--repository-poll-secs=0.01",
                  "--repository-settle-secs=0.02"});
    auto started = ServerProcess::Start(std::getenv("RELUD"), flags);
    ASSERT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
    client_ = InferenceClient::Create(server_->grpc_address()).value();
  }

  // Asks until that generation answers.
  void AwaitGeneration(int generation, const std::string& version = "") {
    const std::vector<float> row = Row();
    int found = -1;
    while (found != generation) {
      const auto result = client_->Infer(Request(row, version));
      if (result.ok()) {
        found = answers_.Generation((*result->Output("y"))->bytes);
      } else {
        // A label or version that is not there yet.
        ASSERT_NE(version, "") << result.status();
      }
    }
  }

  // The state of a version in the index; "none" if it is not there.
  ModelIndexEntry State(int version) {
    const auto index = client_->RepositoryIndex();
    EXPECT_TRUE(index.ok()) << index.status();
    for (const ModelIndexEntry& entry : *index) {
      if (entry.version == std::to_string(version)) {
        return entry;
      }
    }
    return {.name = "m", .version = "", .state = "none", .reason = ""};
  }
  void AwaitState(int version, const std::string& state) {
    while (State(version).state != state) {
    }
  }

  // Everything that happens to a folder; returns the version served then.
  int Cycle(int version) {
    // A new version, in one step.
    int generation = folder_.NextGeneration();
    folder_.Rename(++version);
    AwaitGeneration(generation);
    // A new version that is bad.
    folder_.WriteBad(version + 1);
    AwaitState(version + 1, "UNAVAILABLE");
    EXPECT_THAT(State(version + 1).reason, HasSubstr("model.onnx"));
    EXPECT_EQ(State(version).state, "READY");
    folder_.Remove(version + 1);
    AwaitState(version + 1, "none");
    // A new version that takes its time, while the old ones go.
    generation = folder_.NextGeneration();
    folder_.Copy(++version, [&] {
      folder_.Remove(version - 2);
      for (int i = 0; i < 20; ++i) {
        EXPECT_NE(State(version).state, "READY");
      }
    });
    AwaitGeneration(generation);
    // The same version again, in place: for a moment half new and half old.
    generation = folder_.NextGeneration();
    folder_.Copy(version, [&] { State(version); });
    AwaitGeneration(generation);
    // A label.
    const std::string label = "cycle" + std::to_string(version);
    folder_.Configure("parameters { key: 'version_label." + label +
                      "' value { string_value: '" + std::to_string(version) +
                      "' } }");
    AwaitGeneration(generation, label);
    return version;
  }

  RepositoryBuilder repository_;
  Answers answers_;
  ModelFolder folder_{repository_.folder(), answers_};
  std::unique_ptr<ServerProcess> server_;
  std::unique_ptr<InferenceClient> client_;
};

TEST_F(ReloadTest, NoRequestFailsAndMemoryDoesNotGrowWhateverHappensToAFolder) {
  constexpr int kClients = 3;
  constexpr int kCyclesBefore = 3;
  // Sanitizers keep freed memory for a while: it is not measured then.
  constexpr int kCycles = kSanitized ? kCyclesBefore : 9;
  ASSERT_NO_FATAL_FAILURE(Start());
  std::vector<std::unique_ptr<LoadingClient>> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.push_back(
        std::make_unique<LoadingClient>(server_->grpc_address(), answers_));
  }
  int version = 1;
  std::int64_t before_kib = 0;
  for (int cycle = 0; cycle < kCycles; ++cycle) {
    ASSERT_NO_FATAL_FAILURE(version = Cycle(version));
    if (cycle == kCyclesBefore - 1) {
      before_kib = server_->StatusKib("VmRSS");
    }
  }
  const std::int64_t after_kib = server_->StatusKib("VmRSS");
  for (const auto& client : clients) {
    EXPECT_GT(client->Stop(), 0);
  }
  // What is kept of each load would be 20 MB by now.
  if (!kSanitized) {
    EXPECT_LT(after_kib, before_kib + (8 << 10));
  }

  // At last the model goes.
  fs::remove_all(folder_.path());
  const std::vector<float> row = Row();
  absl::Status status;
  while (!absl::IsNotFound(status)) {
    status = client_->Infer(Request(row)).status();
  }
  EXPECT_EQ(server_->Stop(SIGTERM), 0) << server_->log();
}

}  // namespace
}  // namespace relu
