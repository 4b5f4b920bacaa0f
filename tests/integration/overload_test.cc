// Ten times what a server can do, through the real binary: its memory stays
// bounded, what it cannot serve is refused with a clear status, what it answers
// is right, and afterwards it answers as before. RELUD names the binary.

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/infer_request.h"
#include "client/infer_result.h"
#include "client/inference_client.h"
#include "proto/inference.pb.h"
#include "tests/core/graph/model_builder.h"
#include "tests/integration/repository_builder.h"
#include "tests/integration/server_process.h"
#include "tests/support/h2_client.h"
#include "tests/support/sanitizers.h"

namespace relu {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr std::int64_t kFloodInputs = 64;
constexpr std::int64_t kFloodHidden = 512;
constexpr std::int64_t kFloodOutputs = 8;
// Requests of 128 KiB: a flood of them is more than the bound below.
constexpr std::int64_t kFloodRows = 512;
constexpr char kInferPath[] = "/inference.GRPCInferenceService/ModelInfer";

// What the server may take beside what it had when it was ready: 16 MiB in
// flight, 32 MiB of streams that gRPC still reads, and what the allocator does
// not give back. With the sanitizer, also the freed memory that it holds on to.
constexpr std::int64_t kMostFloodKib = (kSanitized ? 512 : 96) << 10;

std::vector<float> RandomValues(std::int64_t count, float scale) {
  std::minstd_rand random(1);
  std::uniform_real_distribution<float> value(-scale, scale);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& one : values) {
    one = value(random);
  }
  return values;
}

void WriteFloodedNetwork(const fs::path& file) {
  ModelBuilder builder;
  builder.Input("x", {.sizes = {-1, kFloodInputs}})
      .Floats("w1", {kFloodInputs, kFloodHidden},
              RandomValues(kFloodInputs * kFloodHidden, 0.1F))
      .Floats("w2", {kFloodHidden, kFloodHidden},
              RandomValues(kFloodHidden * kFloodHidden, 0.1F))
      .Floats("w3", {kFloodHidden, kFloodHidden},
              RandomValues(kFloodHidden * kFloodHidden, 0.1F))
      .Floats("w4", {kFloodHidden, kFloodOutputs},
              RandomValues(kFloodHidden * kFloodOutputs, 0.1F))
      .Node("MatMul", {"x", "w1"}, "h1")
      .Node("Relu", {"h1"}, "a1")
      .Node("MatMul", {"a1", "w2"}, "h2")
      .Node("Relu", {"h2"}, "a2")
      .Node("MatMul", {"a2", "w3"}, "h3")
      .Node("Relu", {"h3"}, "a3")
      .Node("MatMul", {"a3", "w4"}, "y")
      .Output("y");
  std::ofstream(file, std::ios::binary) << builder.model().SerializeAsString();
}

class OverloadTest : public testing::Test {
 protected:
  void SetUp() override {
    const fs::path file = repository_.folder() / ".made" / "model.onnx";
    fs::create_directories(file.parent_path());
    WriteFloodedNetwork(file);
    repository_.Add("m", file);
    auto started = ServerProcess::Start(
        std::getenv("RELUD"),
        {"--model-repository=" + repository_.folder().string(),
         "--grpc-address=127.0.0.1", "--grpc-port=0", "--http-port=0",
         "--metrics-port=0", "--max-in-flight-bytes=16777216",
         "--grpc-max-streams=64"});
    ASSERT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
    auto client = InferenceClient::Create(server_->grpc_address());
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
    const absl::StatusOr<std::vector<float>> answer = Infer();
    ASSERT_TRUE(answer.ok()) << answer.status();
    expected_ = *answer;
  }

  std::string FloodMessage() const {
    inference::ModelInferRequest message;
    message.set_model_name("m");
    auto& input = *message.add_inputs();
    input.set_name("x");
    input.set_datatype("FP32");
    input.add_shape(kFloodRows);
    input.add_shape(kFloodInputs);
    const std::vector<float> values =
        RandomValues(kFloodRows * kFloodInputs, 1);
    message.add_raw_input_contents()->assign(
        reinterpret_cast<const char*>(values.data()),
        values.size() * sizeof(float));
    return message.SerializeAsString();
  }

  absl::StatusOr<std::vector<float>> Infer() {
    const std::vector<float> row = RandomValues(kFloodInputs, 1);
    InferRequest request("m");
    const std::int64_t shape[] = {1, kFloodInputs};
    request.AddRawInput("x", "FP32", shape, std::as_bytes(std::span(row)));
    const absl::StatusOr<InferResult> result = client_->Infer(request);
    if (!result.ok()) {
      return result.status();
    }
    const auto values = result->Values<float>("y");
    return values.ok() ? absl::StatusOr<std::vector<float>>(
                             std::vector<float>(values->begin(), values->end()))
                       : values.status();
  }

  RepositoryBuilder repository_;
  std::unique_ptr<ServerProcess> server_;
  std::unique_ptr<InferenceClient> client_;
  std::vector<float> expected_;
};

TEST_F(OverloadTest, TenTimesThePeakIsRefusedInBoundedMemory) {
  constexpr int kConnections = 4;
  const std::string message = FloodMessage();
  H2Client flood(server_->grpc_address(), kInferPath, {message}, kConnections);
  const LoadFigures peak = flood.Run(/*in_flight=*/8, milliseconds(1000));
  ASSERT_GT(peak.ok, 0U);
  const std::int64_t before_kib = server_->StatusKib("VmHWM");

  LoadFigures figures;
  std::thread thread([&] {
    figures = flood.RunAtRate(10 * peak.calls_per_second(), milliseconds(1500));
  });
  int answered = 0;
  std::vector<std::string> wrong;
  for (int i = 0; i < 50; ++i) {
    const absl::StatusOr<std::vector<float>> answer = Infer();
    answered += answer.ok() ? 1 : 0;
    if (answer.ok() ? *answer != expected_
                    : !absl::IsResourceExhausted(answer.status()) &&
                          !absl::IsUnavailable(answer.status())) {
      wrong.push_back(answer.status().ToString());
    }
  }
  const auto ready = client_->ServerReady();
  thread.join();

  EXPECT_EQ(wrong, std::vector<std::string>());
  EXPECT_TRUE(ready.ok() && *ready);
  EXPECT_GT(figures.ok, 0U);
  // Not everything can be served, and what is not says so.
  EXPECT_GT(figures.failed, 0U);
  for (const int error : figures.errors) {
    EXPECT_THAT(error,
                testing::AnyOf(8, 14));  // RESOURCE_EXHAUSTED, UNAVAILABLE
  }
  EXPECT_LT(server_->StatusKib("VmHWM") - before_kib, kMostFloodKib);
  // The flood is over.
  const absl::StatusOr<std::vector<float>> after = Infer();
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(*after, expected_);
  RecordProperty("answered_of_50_others", answered);
  RecordProperty("peak_calls_per_second",
                 static_cast<int>(peak.calls_per_second()));
  RecordProperty("goodput_percent",
                 static_cast<int>(100 * figures.calls_per_second() /
                                  peak.calls_per_second()));
}

}  // namespace
}  // namespace relu
