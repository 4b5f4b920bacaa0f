// Measures ModelInfer of the real relud binary against a null RPC: the same
// method, payload and answer size on the same gRPC, with nothing done between
// them. Both servers run as processes of their own, in turn within one run, and
// one client (this process) drives them.
//
//   serving_benchmark RELUD MODEL_REPOSITORY MODEL FEATURES OUTPUTS
//   serving_benchmark --null-server BYTES     (what it starts by itself)

#include <signal.h>
#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"

#include "core/base/check.h"
#include "fmt/format.h"
#include "proto/inference.grpc.pb.h"
#include "tests/integration/server_process.h"

namespace relu {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kMethod[] = "/inference.GRPCInferenceService/ModelInfer";
constexpr int kThreads = 2;
constexpr int kArmedCalls = 64;  // Of the null server, on each queue.
constexpr int kRounds = 7;
constexpr std::chrono::milliseconds kRoundTime{1000};
// gRPC's client binds a connection to one thread of work; a few of them keep
// both servers busy.
constexpr int kConnections = 4;

grpc::ByteBuffer ToByteBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

// --- The null server: answers each call with the same bytes
// -------------------

using NullService = inference::GRPCInferenceService::WithRawMethod_ModelInfer<
    inference::GRPCInferenceService::Service>;

// One call that is answered again and again. Owned by ServeNull().
class NullCall {
 public:
  NullCall(NullService& service, grpc::ServerCompletionQueue& queue,
           const grpc::ByteBuffer& answer)
      : service_(service), queue_(queue), answer_(answer) {
    Arm();
  }

  // The event this call waited for has come.
  void Proceed() {
    if (arrived_) {
      Arm();
      return;
    }
    arrived_ = true;
    writer_->Finish(answer_, grpc::Status::OK, this);
  }

 private:
  void Arm() {
    arrived_ = false;
    context_ = std::make_unique<grpc::ServerContext>();
    writer_ = std::make_unique<Writer>(context_.get());
    service_.RequestModelInfer(context_.get(), &request_, writer_.get(),
                               &queue_, &queue_, this);
  }

  using Writer = grpc::ServerAsyncResponseWriter<grpc::ByteBuffer>;

  NullService& service_;
  grpc::ServerCompletionQueue& queue_;
  const grpc::ByteBuffer& answer_;
  bool arrived_ = false;
  grpc::ByteBuffer request_;
  std::unique_ptr<grpc::ServerContext> context_;
  std::unique_ptr<Writer> writer_;
};

void ServeNull(NullService& service, grpc::ServerCompletionQueue& queue,
               const grpc::ByteBuffer& answer) {
  std::vector<std::unique_ptr<NullCall>> calls;
  for (int i = 0; i < kArmedCalls; ++i) {
    calls.push_back(std::make_unique<NullCall>(service, queue, answer));
  }
  void* tag = nullptr;
  bool ok = false;
  while (queue.Next(&tag, &ok)) {
    static_cast<NullCall*>(tag)->Proceed();
  }
}

// Runs until it is killed, or its parent is gone.
int RunNullServer(std::size_t answer_bytes) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  NullService service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  builder.RegisterService(&service);
  std::array<std::unique_ptr<grpc::ServerCompletionQueue>, kThreads> queues;
  for (auto& queue : queues) {
    queue = builder.AddCompletionQueue();
  }
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  CHECK(server != nullptr);
  const grpc::ByteBuffer answer = ToByteBuffer(std::string(answer_bytes, 0));
  std::vector<std::thread> threads;
  for (auto& queue : queues) {
    threads.emplace_back(
        [&service, &queue, &answer] { ServeNull(service, *queue, answer); });
  }
  fmt::print("null server: gRPC on 127.0.0.1:{}, metrics on 0.0.0.0:0\n", port);
  std::fflush(stdout);
  for (std::thread& thread : threads) {
    thread.join();
  }
  return 0;
}

// --- The client
// ----------------------------------------------------------------

struct Figures {
  double calls_per_second = 0;
  double p50_us = 0;
  double p99_us = 0;
};

// Keeps calls in flight on a few connections. For one thread.
class LoadClient {
 public:
  LoadClient(const std::string& address, std::string request)
      : request_(ToByteBuffer(request)) {
    for (int i = 0; i < kConnections; ++i) {
      grpc::ChannelArguments arguments;
      arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
      stubs_.push_back(
          std::make_unique<grpc::GenericStub>(grpc::CreateCustomChannel(
              address, grpc::InsecureChannelCredentials(), arguments)));
    }
  }

  Figures Run(int in_flight, std::chrono::milliseconds time) {
    latencies_us_.clear();
    const Clock::time_point start = Clock::now();
    const Clock::time_point end = start + time;
    const int connections = std::min(in_flight, kConnections);
    for (int i = 0; i < in_flight; ++i) {
      Send(static_cast<std::size_t>(i % connections));
    }
    int open = in_flight;
    void* tag = nullptr;
    bool ok = false;
    while (open > 0 && queue_.Next(&tag, &ok)) {
      const std::unique_ptr<Call> call(static_cast<Call*>(tag));
      if (!call->status.ok()) {
        fmt::print(stderr, "a call failed: {}\n", call->status.error_message());
        std::exit(1);
      }
      const Clock::time_point now = Clock::now();
      latencies_us_.push_back(
          std::chrono::duration<double, std::micro>(now - call->start).count());
      if (now < end) {
        Send(call->connection);
      } else {
        --open;
      }
    }
    return Summary(Clock::now() - start);
  }

 private:
  struct Call {
    grpc::ClientContext context;
    grpc::ByteBuffer answer;
    grpc::Status status;
    Clock::time_point start;
    std::size_t connection = 0;
    std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
  };

  void Send(std::size_t connection) {
    auto call = std::make_unique<Call>();
    call->connection = connection;
    call->start = Clock::now();
    call->reader = stubs_[connection]->PrepareUnaryCall(&call->context, kMethod,
                                                        request_, &queue_);
    call->reader->StartCall();
    // The queue owns it until its event comes.
    Call* const tag = call.release();
    tag->reader->Finish(&tag->answer, &tag->status, tag);
  }

  Figures Summary(Clock::duration time) {
    std::ranges::sort(latencies_us_);
    const std::size_t count = latencies_us_.size();
    return {
        .calls_per_second = static_cast<double>(count) /
                            std::chrono::duration<double>(time).count(),
        .p50_us = latencies_us_[count / 2],
        .p99_us = latencies_us_[count * 99 / 100],
    };
  }

  grpc::ByteBuffer request_;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs_;
  grpc::CompletionQueue queue_;
  std::vector<double> latencies_us_;
};

// --- The comparison
// --------------------------------------------------------------

// A ModelInfer request with one row of `features` values, half of them zero as
// in real pictures (seed 1).
std::string RequestBytes(const std::string& model, std::int64_t features) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
  std::vector<float> row(static_cast<std::size_t>(features));
  for (float& value : row) {
    value = std::max(0.0F, uniform(random));
  }
  inference::ModelInferRequest request;
  request.set_model_name(model);
  auto* const input = request.add_inputs();
  input->set_name("input");
  input->set_datatype("FP32");
  input->add_shape(1);
  input->add_shape(features);
  const auto bytes = std::as_bytes(std::span(row));
  request.add_raw_input_contents(bytes.data(), bytes.size());
  return request.SerializeAsString();
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

Figures Median(const std::vector<Figures>& rounds) {
  const auto median = [&rounds](double Figures::*field) {
    std::vector<double> values;
    for (const Figures& round : rounds) {
      values.push_back(round.*field);
    }
    return Median(values);
  };
  return {median(&Figures::calls_per_second), median(&Figures::p50_us),
          median(&Figures::p99_us)};
}

void Compare(LoadClient& null_rpc, LoadClient& relud, int in_flight) {
  std::vector<Figures> null_rounds;
  std::vector<Figures> relud_rounds;
  std::vector<double> ratios;
  null_rpc.Run(in_flight, kRoundTime / 4);
  relud.Run(in_flight, kRoundTime / 4);
  for (int round = 0; round < kRounds; ++round) {
    null_rounds.push_back(null_rpc.Run(in_flight, kRoundTime));
    relud_rounds.push_back(relud.Run(in_flight, kRoundTime));
    ratios.push_back(relud_rounds.back().calls_per_second /
                     null_rounds.back().calls_per_second);
  }
  const auto print = [in_flight](const char* name, const Figures& figures) {
    fmt::print("| {} | {} | {:.0f} | {:.0f} | {:.0f} |\n", name, in_flight,
               figures.p50_us, figures.p99_us, figures.calls_per_second);
  };
  print("null RPC", Median(null_rounds));
  print("ModelInfer", Median(relud_rounds));
  fmt::print("| ratio of calls/s, median of pairs | {} | | | {:.2f} |\n",
             in_flight, Median(ratios));
}

int RunComparison(std::span<char* const> arguments) {
  const std::string model = arguments[3];
  const std::int64_t features = std::atoll(arguments[4]);
  const std::int64_t outputs = std::atoll(arguments[5]);
  // The answer's fields around the values take about 40 bytes.
  const std::string answer_bytes = fmt::format("{}", outputs * 4 + 40);
  auto null_server = ServerProcess::Start(
      std::filesystem::canonical("/proc/self/exe").string(),
      {"--null-server", answer_bytes});
  const Clock::time_point start = Clock::now();
  auto relud = ServerProcess::Start(
      arguments[1],
      {fmt::format("--model-repository={}", arguments[2]),
       "--grpc-address=127.0.0.1", "--grpc-port=0", "--metrics-port=0",
       fmt::format("--threads={}", kThreads)});
  if (!null_server.ok() || !relud.ok()) {
    fmt::print(stderr, "{}\n{}\n", null_server.status().ToString(),
               relud.status().ToString());
    return 1;
  }
  fmt::print(
      "relud: from start to ready {:.1f} ms\n\n",
      std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  const std::string request = RequestBytes(model, features);
  LoadClient null_client((*null_server)->grpc_address(), request);
  LoadClient relud_client((*relud)->grpc_address(), request);
  fmt::print(
      "{}, medians of {} rounds of {} ms in turn, {} connections\n\n"
      "| call | in flight | p50 us | p99 us | calls/s |\n"
      "| --- | --- | --- | --- | --- |\n",
      model, kRounds, kRoundTime.count(), kConnections);
  for (const int in_flight : {1, 64}) {
    Compare(null_client, relud_client, in_flight);
  }
  (*null_server)->Stop(SIGKILL);
  return (*relud)->Stop(SIGTERM);
}

}  // namespace
}  // namespace relu

int main(int argc, char** argv) {
  const std::span<char* const> arguments(argv, static_cast<std::size_t>(argc));
  if (argc == 3 && std::string_view(arguments[1]) == "--null-server") {
    return relu::RunNullServer(
        static_cast<std::size_t>(std::atoll(arguments[2])));
  }
  if (argc != 6) {
    fmt::print(stderr,
               "usage: serving_benchmark RELUD MODEL_REPOSITORY MODEL FEATURES "
               "OUTPUTS\n");
    return 2;
  }
  return relu::RunComparison(arguments);
}
