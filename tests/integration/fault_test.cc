// Three servers behind one client, under load: one is killed (SIGKILL), one
// stalls (SIGSTOP), one is started again. No call may fail that a retry can
// save, and none may be executed twice without saying so.
//
// FAULT_SERVER=path/to/fault_server; FAULT_SECONDS=n for a long run: each phase
// takes that long (else half a second). The figures are printed, not judged.

#include <signal.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"

#include "client/inference_client.h"
#include "core/base/mutex.h"
#include "fmt/format.h"
#include "tests/integration/server_process.h"

namespace relu {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using TimePoint = steady_clock::time_point;

constexpr int kServers = 3;
constexpr int kThreads = 8;
constexpr milliseconds kWindow(100);
constexpr int kWindowsOfRecovery = 3;

milliseconds PhaseTime() {
  const char* const seconds = std::getenv("FAULT_SECONDS");
  return milliseconds(seconds == nullptr ? 500 : 1'000 * std::atoi(seconds));
}

// How long calls took, by when they began.
class Latencies {
 public:
  void Add(TimePoint begin, TimePoint end) {
    const MutexLock lock(mu_);
    calls_.emplace_back(begin, end - begin);
  }

  // The p99 of the calls that began in [from, to).
  milliseconds P99(TimePoint from, TimePoint to) const {
    std::vector<steady_clock::duration> times;
    {
      const MutexLock lock(mu_);
      for (const auto& [begin, time] : calls_) {
        if (begin >= from && begin < to) {
          times.push_back(time);
        }
      }
    }
    std::ranges::sort(times);
    return times.empty() ? milliseconds(0)
                         : std::chrono::duration_cast<milliseconds>(
                               times[(times.size() - 1) * 99 / 100]);
  }

 private:
  mutable Mutex mu_;
  std::vector<std::pair<TimePoint, steady_clock::duration>> calls_
      ABSL_GUARDED_BY(mu_);
};

// Threads that call one after the other, until Stop().
class Callers {
 public:
  explicit Callers(InferenceClient& client) {
    for (int thread = 0; thread < kThreads; ++thread) {
      threads_.emplace_back([this, &client] {
        while (!stop_) {
          Call(client);
        }
      });
    }
  }

  ~Callers() { Stop(); }
  Callers(const Callers&) = delete;
  Callers& operator=(const Callers&) = delete;

  void Stop() {
    stop_ = true;
    threads_.clear();  // Joins.
  }

  const Latencies& latencies() const { return latencies_; }
  std::int64_t calls() const { return calls_; }
  std::vector<absl::Status> failures() const {
    const MutexLock lock(mu_);
    return failures_;
  }

 private:
  void Call(InferenceClient& client) {
    InferRequest request("m");
    request.SetId(fmt::format("{}", calls_++));
    request.AddInput<float>("x", std::vector<std::int64_t>{1, 4},
                            std::vector<float>(4, 0.5F));
    const TimePoint begin = steady_clock::now();
    const absl::Status status = client.Infer(request).status();
    latencies_.Add(begin, steady_clock::now());
    if (!status.ok()) {
      const MutexLock lock(mu_);
      failures_.push_back(status);
    }
  }

  std::atomic<bool> stop_{false};
  std::atomic<std::int64_t> calls_{0};
  Latencies latencies_;
  mutable Mutex mu_;
  std::vector<absl::Status> failures_ ABSL_GUARDED_BY(mu_);
  std::vector<std::jthread> threads_;
};

// What happened, and when.
struct Fault {
  const char* name;
  TimePoint time;
};

// How long after the fault the p99 of windows was above `usual`, until it was
// not for a while. (Later ones are the noise of the machine.)
milliseconds RecoveryTime(const Latencies& latencies, TimePoint fault,
                          TimePoint end, milliseconds usual) {
  TimePoint good_since = fault;
  for (TimePoint from = fault;
       from < end && from - good_since < kWindowsOfRecovery * kWindow;
       from += kWindow) {
    if (latencies.P99(from, from + kWindow) > usual) {
      good_since = from + kWindow;
    }
  }
  return std::chrono::duration_cast<milliseconds>(good_since - fault);
}

// The last of `faults` is the end.
void PrintFigures(const Latencies& latencies,
                  const std::vector<Fault>& faults) {
  const milliseconds before =
      latencies.P99(faults[0].time - PhaseTime(), faults[0].time);
  const milliseconds usual = std::max(2 * before, milliseconds(20));
  fmt::print("  p99 before the faults {} ms\n", before.count());
  for (std::size_t i = 0; i + 1 < faults.size(); ++i) {
    const TimePoint begin = faults[i].time;
    const TimePoint end = faults[i + 1].time;
    fmt::print("  {}: p99 of that phase {} ms, below {} ms after {} ms\n",
               faults[i].name, latencies.P99(begin, end).count(), usual.count(),
               RecoveryTime(latencies, begin, end, usual).count());
  }
}

// How often each send of each call was executed: [id][sends before].
using Executions = std::map<std::string, std::map<std::string, int>>;

class FaultTest : public testing::Test {
 protected:
  FaultTest() {
    std::string name =
        (std::filesystem::temp_directory_path() / "fault_test.XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    for (int i = 0; i < kServers; ++i) {
      Start(i, "0");
    }
  }

  ~FaultTest() override {
    Resume(1);
    for (auto& server : servers_) {
      server.reset();
    }
    std::filesystem::remove_all(folder_);
  }

  std::string Program() const { return std::getenv("FAULT_SERVER"); }

  void Start(int index, const std::string& port) {
    auto server = ServerProcess::Start(
        Program(), {(folder_ / fmt::format("log.{}", index)).string(), port});
    ASSERT_TRUE(server.ok()) << server.status();
    servers_[static_cast<std::size_t>(index)] = *std::move(server);
  }

  ServerProcess& server(int index) {
    return *servers_[static_cast<std::size_t>(index)];
  }

  void Stall(int index) { kill(server(index).pid(), SIGSTOP); }
  void Resume(int index) {
    if (servers_[static_cast<std::size_t>(index)] != nullptr) {
      kill(server(index).pid(), SIGCONT);
    }
  }

  std::string Targets() {
    return fmt::format("{},{},{}", server(0).grpc_address(),
                       server(1).grpc_address(), server(2).grpc_address());
  }

  // Each of `calls` was executed, and no send of it twice: that would be one
  // that does not say so. Returns how many sends were repeated.
  std::int64_t ExpectEachSendExecutedOnce(std::int64_t calls) const {
    std::int64_t sends_of_all = 0;
    const Executions executions = ReadExecutions();
    for (const auto& [id, sends] : executions) {
      for (const auto& [sends_before, count] : sends) {
        EXPECT_EQ(count, 1) << "call " << id << ", send " << sends_before;
      }
      sends_of_all += static_cast<std::int64_t>(sends.size());
    }
    EXPECT_EQ(static_cast<std::int64_t>(executions.size()), calls);
    return sends_of_all - calls;
  }

  Executions ReadExecutions() const {
    Executions executions;
    for (int i = 0; i < kServers; ++i) {
      std::ifstream log(folder_ / fmt::format("log.{}", i));
      std::string id;
      std::string sends_before;
      while (log >> id >> sends_before) {
        ++executions[id][sends_before];
      }
    }
    return executions;
  }

  // Loads the client with `kThreads` callers while kills, stalls and restarts
  // happen, and checks what became of the calls.
  void RunFaults(const ClientOptions& options, const std::string& name);

 private:
  std::filesystem::path folder_;
  std::array<std::unique_ptr<ServerProcess>, kServers> servers_;
};

void FaultTest::RunFaults(const ClientOptions& options,
                          const std::string& name) {
  const auto client = InferenceClient::Create(Targets(), options).value();
  Callers callers(*client);
  std::vector<Fault> faults;
  const auto after_a_phase = [&faults](const char* what) {
    std::this_thread::sleep_for(PhaseTime());
    faults.push_back({.name = what, .time = steady_clock::now()});
  };
  const std::string address = server(0).grpc_address();
  after_a_phase("SIGKILL of server 0");
  server(0).Stop(SIGKILL);
  after_a_phase("SIGSTOP of server 1");
  Stall(1);
  after_a_phase("server 0 is started again");
  Start(0, address.substr(address.rfind(':') + 1));
  after_a_phase("SIGCONT of server 1");
  Resume(1);
  after_a_phase("end");
  callers.Stop();

  const auto failures = callers.failures();
  EXPECT_TRUE(failures.empty())
      << failures.size() << " calls failed, the first: " << failures[0];
  const std::int64_t repeated = ExpectEachSendExecutedOnce(callers.calls());
  fmt::print("{}: {} calls, {} failed, {} sends were repeated\n", name,
             callers.calls(), failures.size(), repeated);
  PrintFigures(callers.latencies(), faults);
}

ClientOptions Patient() {
  ClientOptions options;
  options.default_timeout = std::chrono::seconds(60);
  return options;
}

TEST_F(FaultTest, RetriesSaveEveryCall) {
  ClientOptions options = Patient();
  options.retry.max_attempts = 5;
  options.retry.initial_backoff = milliseconds(10);
  options.retry.attempt_timeout = milliseconds(250);
  RunFaults(options, "retries");
}

TEST_F(FaultTest, HedgingSavesEveryCall) {
  ClientOptions options = Patient();
  options.hedging = {.max_attempts = 3, .delay = milliseconds(50)};
  RunFaults(options, "hedging");
}

}  // namespace
}  // namespace relu
