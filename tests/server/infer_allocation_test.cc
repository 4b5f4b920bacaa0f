// A ModelInfer takes no memory of ours in steady state: from its message to its
// answer, through the dispatcher, what gRPC and protobuf do apart.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "core/base/in_flight_bytes.h"
#include "core/batching/dispatcher.h"
#include "server/arrived_call.h"
#include "server/arrived_calls.h"
#include "server/infer_exchange.h"
#include "server/shared_memory.h"
#include "tests/server/loaded_repository.h"
#include "tests/server/memory_object.h"
#include "tests/support/counted_allocations.h"

namespace relu {
namespace {

// What InferCall does, with protobuf's part left out of the count.
class CountedCall final : public ArrivedCall {
 public:
  explicit CountedCall(const InferEnvironment& environment)
      : ArrivedCall(environment) {
    inference().done = [this](const absl::Status& status) {
      status_ = status;
      ArrivedCalls::Answer(*this);
    };
  }

  void Receive(const std::string& bytes) { request_bytes_ = &bytes; }

  bool Prepare() override {
    status_ = exchange().BeginDecode(InferExchange::Clock::now(),
                                     request_bytes_->size());
    const std::int64_t before = AllocationsOfThread();
    if (status_.ok() &&
        !exchange().message().ParseFromString(*request_bytes_)) {
      status_ = absl::InvalidArgumentError("no request");
    }
    protobuf_allocations += AllocationsOfThread() - before;
    if (status_.ok()) {
      status_ = exchange().Prepare(InferExchange::Clock::time_point::max());
    }
    return status_.ok();
  }

  void Send(const ArrivedCall* /*next*/) override {
    if (status_.ok()) {
      status_ = exchange().BeginEncode();
      const std::int64_t before = AllocationsOfThread();
      answer = exchange().response().SerializeAsString();
      protobuf_allocations += AllocationsOfThread() - before;
    }
    exchange().Finish(status_);
    ++answers;
    exchange().Reset();
  }

  std::int64_t protobuf_allocations = 0;
  int answers = 0;
  std::string answer;

 private:
  const std::string* request_bytes_ = nullptr;
  absl::Status status_;
};

class NeverWoken final : public Dispatcher::Worker {
 public:
  void Wake() override {}
};

class InferAllocationTest : public testing::Test {
 protected:
  static constexpr int kTurns = 200;

  InferAllocationTest() { dispatcher().AddWorker(worker_); }
  ~InferAllocationTest() override { dispatcher().RemoveWorker(worker_); }

  Dispatcher& dispatcher() { return loaded_.repository().dispatcher(); }

  // How often `calls` calls of `message` take memory in kTurns turns, after
  // some that make it ready.
  std::int64_t Allocations(std::size_t count,
                           const inference::ModelInferRequest& message) {
    const std::string bytes = message.SerializeAsString();
    std::vector<std::unique_ptr<CountedCall>> calls;
    for (std::size_t i = 0; i < count; ++i) {
      calls.push_back(std::make_unique<CountedCall>(environment_));
    }
    ArrivedCalls arrived(dispatcher());
    const auto run = [&](int turns) {
      std::int64_t protobuf = 0;
      const std::int64_t before = AllocationsOfThread();
      for (int turn = 0; turn < turns; ++turn) {
        for (const auto& call : calls) {
          call->Receive(bytes);
          arrived.Add(*call);
        }
        while (arrived.Run(worker_)) {
        }
      }
      const std::int64_t all = AllocationsOfThread() - before;
      for (const auto& call : calls) {
        protobuf += std::exchange(call->protobuf_allocations, 0);
      }
      return all - protobuf;
    };
    run(kTurns);
    const std::int64_t allocations = run(kTurns);
    for (const auto& call : calls) {
      EXPECT_EQ(call->answers, 2 * kTurns);
      EXPECT_FALSE(call->answer.empty());
    }
    return allocations;
  }

  LoadedRepository loaded_{{.slots = 1}};
  InFlightBytes in_flight_{std::size_t{1} << 30};
  SharedMemoryRegions shared_memory_;
  InferEnvironment environment_{.repository = loaded_.repository(),
                                .metrics = loaded_.metrics(),
                                .in_flight_bytes = &in_flight_,
                                .max_message_bytes = 1 << 20,
                                .shared_memory = &shared_memory_};
  NeverWoken worker_;
};

TEST_F(InferAllocationTest, CallThatComesAloneTakesNoMemory) {
  EXPECT_EQ(Allocations(1, DigitsRequest()), 0);
}

TEST_F(InferAllocationTest, CallsThatComeTogetherTakeNoMemory) {
  EXPECT_EQ(Allocations(64, DigitsRequest()), 0);
}

TEST_F(InferAllocationTest, NamedOutputsAndParametersTakeNoMemory) {
  inference::ModelInferRequest request = DigitsRequest(3);
  request.set_id("17");
  request.add_outputs()->set_name("output");
  (*request.mutable_parameters())["timeout"].set_int64_param(1'000'000'000);
  EXPECT_EQ(Allocations(4, request), 0);
}

TEST_F(InferAllocationTest, TensorsInSharedMemoryTakeNoMemory) {
  const MemoryObject object(1024);
  ASSERT_TRUE(
      shared_memory_
          .Register({.name = "r", .key = object.key(), .byte_size = 1024})
          .ok());
  inference::ModelInferRequest request = DigitsRequest();
  request.clear_raw_input_contents();
  PutInSharedMemory(0, 256, *request.mutable_inputs(0));
  request.add_outputs()->set_name("output");
  PutInSharedMemory(512, 40, *request.mutable_outputs(0));
  EXPECT_EQ(Allocations(4, request), 0);
}

}  // namespace
}  // namespace relu
