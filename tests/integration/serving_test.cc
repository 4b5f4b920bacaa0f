// The real relud binary, driven through the client library: every model answers
// as its reference does, bad requests harm nothing, and the end is clean. RELUD
// names the binary.

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <system_error>
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
#include "core/tensor/data_type.h"
#include "core/tensor/float16.h"
#include "core/tensor/tensor.h"
#include "fmt/format.h"
#include "tests/integration/repository_builder.h"
#include "tests/integration/server_process.h"
#include "tests/support/reference_model.h"

namespace relu {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;

const std::filesystem::path kTestData = "tests/testdata";

// A server with its repository and a client. For one thread.
struct Serving {
  RepositoryBuilder repository;
  std::unique_ptr<ServerProcess> server;
  std::unique_ptr<InferenceClient> client;

  void Start(std::vector<std::string> flags = {}) {
    const auto usual = ReludFlags(repository.folder());
    flags.insert(flags.begin(), usual.begin(), usual.end());
    auto started = ServerProcess::Start(std::getenv("RELUD"), flags);
    ASSERT_TRUE(started.ok()) << started.status();
    server = *std::move(started);
    auto connected = InferenceClient::Create(server->grpc_address());
    ASSERT_TRUE(connected.ok()) << connected.status();
    client = *std::move(connected);
  }
};

// Rows first_row ... of every input of `model`; the tensors own the data.
std::map<std::string, Tensor> InputRows(const ReferenceModel& model,
                                        std::int64_t first_row,
                                        std::int64_t rows) {
  std::map<std::string, Tensor> inputs;
  for (const auto& [name, tensor] : model.inputs) {
    inputs.emplace(name, SliceRows(tensor, first_row, rows));
  }
  return inputs;
}

// Borrows from `inputs`.
InferRequest RequestFor(const std::string& model,
                        const std::map<std::string, Tensor>& inputs) {
  InferRequest request(model);
  for (const auto& [name, tensor] : inputs) {
    request.AddRawInput(name, DataTypeName(tensor.type()), tensor.shape(),
                        tensor.bytes());
  }
  return request;
}

template <typename T>
std::vector<double> Widen(std::span<const std::byte> bytes) {
  std::vector<double> values(bytes.size() / sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    T value{};
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    values[i] = static_cast<double>(value);
  }
  return values;
}

std::vector<double> ToDouble(std::string_view datatype,
                             std::span<const std::byte> bytes) {
  if (datatype == "FP32") {
    return Widen<float>(bytes);
  }
  if (datatype == "FP64") {
    return Widen<double>(bytes);
  }
  if (datatype == "INT64") {
    return Widen<std::int64_t>(bytes);
  }
  EXPECT_EQ(datatype, "FP16");
  std::vector<double> values;
  for (const double bits : Widen<std::uint16_t>(bytes)) {
    values.push_back(
        static_cast<double>(Fp16ToFloat(static_cast<std::uint16_t>(bits))));
  }
  return values;
}

void ExpectMatches(const InferResult& result, const ReferenceModel& model,
                   std::int64_t first_row, std::int64_t rows) {
  for (const auto& [name, reference] : model.outputs) {
    const auto output = result.Output(name);
    ASSERT_TRUE(output.ok()) << output.status();
    const Tensor expected = SliceRows(reference, first_row, rows);
    ASSERT_EQ((*output)->shape, expected.shape()) << model.name << " " << name;
    ASSERT_EQ((*output)->datatype, DataTypeName(expected.type()));
    const std::vector<double> got =
        ToDouble((*output)->datatype, (*output)->bytes);
    const std::vector<double> want =
        ToDouble((*output)->datatype, expected.bytes());
    for (std::size_t i = 0; i < want.size(); ++i) {
      ASSERT_EQ(std::isnan(got[i]), std::isnan(want[i])) << model.name;
      if (!std::isnan(want[i]) && got[i] != want[i]) {
        ASSERT_NEAR(got[i], want[i], model.tolerances.find(name)->second)
            << model.name << " " << name << " rows " << first_row << "+" << rows
            << " at " << i;
      }
    }
  }
}

void ExpectAllRowsMatch(InferenceClient& client, const ReferenceModel& model) {
  const std::int64_t total = model.inputs.begin()->second.shape()[0];
  for (const std::int64_t rows : {1, 3, 32}) {
    for (std::int64_t first = 0; first < total; first += rows) {
      const auto inputs = InputRows(model, first, rows);
      const auto result = client.Infer(RequestFor(model.name, inputs));
      ASSERT_TRUE(result.ok()) << model.name << ": " << result.status();
      ExpectMatches(*result, model, first, rows);
    }
  }
}

TEST(ServingTest, EveryModelAnswersAsItsReference) {
  Serving serving;
  const auto folders = ReferenceFolders(kTestData / "models");
  ASSERT_EQ(folders.size(), 13U);
  for (const auto& folder : folders) {
    serving.repository.Add(folder.filename().string(), folder / "model.onnx");
  }
  ASSERT_NO_FATAL_FAILURE(serving.Start());
  for (const auto& folder : folders) {
    const auto model = LoadReference(folder);
    ASSERT_TRUE(model.ok()) << model.status();
    ExpectAllRowsMatch(*serving.client, *model);
  }
  EXPECT_EQ(serving.server->Stop(SIGTERM), 0) << serving.server->log();
}

TEST(ServingTest, EveryQuirkAnswersAsItsReference) {
  Serving serving;
  const auto folders = ReferenceFolders(kTestData / "quirks");
  ASSERT_EQ(folders.size(), 23U);
  for (const auto& folder : folders) {
    serving.repository.Add(folder.filename().string(), folder / "model.onnx");
  }
  ASSERT_NO_FATAL_FAILURE(serving.Start());
  for (const auto& folder : folders) {
    const auto model = LoadReference(folder);
    ASSERT_TRUE(model.ok()) << model.status();
    const auto ready = serving.client->ModelReady(model->name);
    ASSERT_TRUE(ready.ok()) << ready.status();
    EXPECT_TRUE(*ready) << model->name;
    ExpectAllRowsMatch(*serving.client, *model);
  }
}

// Cases of one bad request: what is sent, and what must come back.
struct BadRequest {
  std::string name;
  InferRequest request;
  absl::StatusCode code;
  std::string words;
};

std::vector<BadRequest> BadRequests(std::span<const float> row) {
  using absl::StatusCode;
  const std::vector<std::int64_t> shape = {1, 64};
  const auto good = [&](const char* model = "digits_mlp",
                        const char* version = "") {
    return InferRequest(model, version)
        .AddInput("input", std::span(shape), row);
  };
  const std::vector<std::int64_t> narrow = {1, 63};
  const std::vector<std::int64_t> empty = {0, 64};
  return {
      {"unknown model", good("nope"), StatusCode::kNotFound, "'nope'"},
      {"unknown version", good("digits_mlp", "9"), StatusCode::kNotFound, "9"},
      {"bad version", good("digits_mlp", "v1"), StatusCode::kInvalidArgument,
       "v1"},
      {"no input", InferRequest("digits_mlp"), StatusCode::kInvalidArgument,
       "input"},
      {"wrong input name",
       InferRequest("digits_mlp").AddInput("x", std::span(shape), row),
       StatusCode::kInvalidArgument, "x"},
      {"input twice", good().AddInput("input", std::span(shape), row),
       StatusCode::kInvalidArgument, "input"},
      {"wrong type",
       InferRequest("digits_mlp")
           .AddRawInput("input", "INT32", shape, std::as_bytes(row)),
       StatusCode::kInvalidArgument, "INT32"},
      {"wrong shape",
       InferRequest("digits_mlp")
           .AddInput("input", std::span(narrow), row.first(63)),
       StatusCode::kInvalidArgument, "[1,63]"},
      {"no rows",
       InferRequest("digits_mlp")
           .AddInput("input", std::span(empty), row.first(0)),
       StatusCode::kInvalidArgument, "row"},
      {"too few bytes",
       InferRequest("digits_mlp")
           .AddInput("input", std::span(shape), row.first(60)),
       StatusCode::kInvalidArgument, "240"},
      {"unknown output", good().AddOutput("scores"),
       StatusCode::kInvalidArgument, "scores"},
      {"output twice", good().AddOutput("output").AddOutput("output"),
       StatusCode::kInvalidArgument, "already exists"},
  };
}

TEST(ServingTest, BadRequestsGetCodeAndReasonAndTheServerGoesOn) {
  Serving serving;
  serving.repository.Add("digits_mlp",
                         kTestData / "models/digits_mlp/model.onnx");
  ASSERT_NO_FATAL_FAILURE(serving.Start());
  const std::vector<float> row(64, 0.5F);
  const std::vector<BadRequest> cases = BadRequests(row);
  ASSERT_EQ(cases.size(), 12U);
  for (const BadRequest& bad : cases) {
    const auto result = serving.client->Infer(bad.request);
    EXPECT_EQ(result.status().code(), bad.code)
        << bad.name << ": " << result.status();
    EXPECT_THAT(std::string(result.status().message()), HasSubstr(bad.words))
        << bad.name;
    const std::vector<std::int64_t> shape = {1, 64};
    EXPECT_TRUE(
        serving.client
            ->Infer(
                InferRequest("digits_mlp").AddInput<float>("input", shape, row))
            .ok())
        << "after " << bad.name;
  }
}

TEST(ServingTest, AnswersHaveTheSameBitsInEveryBatch) {
  Serving serving;
  serving.repository.Add("mnist",
                         kTestData / "models/mnist_256x128/model.onnx");
  ASSERT_NO_FATAL_FAILURE(serving.Start());
  const auto model = LoadReference(kTestData / "models/mnist_256x128");
  ASSERT_TRUE(model.ok());
  const auto all = InputRows(*model, 0, 64);
  const auto together = serving.client->Infer(RequestFor("mnist", all));
  ASSERT_TRUE(together.ok()) << together.status();
  const auto batch = together->Values<float>("output");
  ASSERT_TRUE(batch.ok());

  // The same rows one by one, all in flight at once, so that the server makes
  // batches of its own.
  std::vector<std::map<std::string, Tensor>> rows;
  std::vector<std::future<absl::StatusOr<InferResult>>> answers;
  for (std::int64_t i = 0; i < 64; ++i) {
    rows.push_back(InputRows(*model, i, 1));
    answers.push_back(
        serving.client->InferAsync(RequestFor("mnist", rows.back())));
  }
  for (std::size_t i = 0; i < 64; ++i) {
    const auto answer = answers[i].get();
    ASSERT_TRUE(answer.ok()) << answer.status();
    const auto values = answer->Values<float>("output");
    ASSERT_TRUE(values.ok());
    EXPECT_EQ(std::memcmp(values->data(), batch->data() + i * 10, 40), 0)
        << "row " << i;
  }
}

TEST(ServingTest, TerminationFinishesAcceptedRequestsAndExitsWithZero) {
  Serving serving;
  serving.repository.Add("mnist",
                         kTestData / "models/mnist_256x128/model.onnx");
  ASSERT_NO_FATAL_FAILURE(serving.Start());
  const auto model = LoadReference(kTestData / "models/mnist_256x128");
  ASSERT_TRUE(model.ok());
  const auto inputs = InputRows(*model, 0, 64);
  std::vector<std::future<absl::StatusOr<InferResult>>> answers;
  // The first answer shows that the connection stands.
  ASSERT_TRUE(serving.client->Infer(RequestFor("mnist", inputs)).ok());
  for (int i = 0; i < 200; ++i) {
    answers.push_back(serving.client->InferAsync(RequestFor("mnist", inputs)));
  }
  answers.front().wait();
  EXPECT_EQ(serving.server->Stop(SIGTERM), 0) << serving.server->log();
  for (auto& answer : answers) {
    // Answered, or refused with a clear status: gRPC's own, for a call that it
    // read after the end had begun.
    const auto result = answer.get();
    if (!result.ok()) {
      EXPECT_THAT(result.status().code(),
                  testing::AnyOf(absl::StatusCode::kUnavailable,
                                 absl::StatusCode::kCancelled))
          << result.status();
    }
  }
}

TEST(ServingTest, InterruptExitsWithZero) {
  Serving serving;
  serving.repository.Add("m", kTestData / "models/iris_argmax/model.onnx");
  ASSERT_NO_FATAL_FAILURE(serving.Start());
  EXPECT_EQ(serving.server->Stop(SIGINT), 0) << serving.server->log();
}

// The sets of epoll that a process has.
std::ptrdiff_t CountEpollSets(const ServerProcess& server) {
  const auto is_epoll = [](const std::filesystem::directory_entry& fd) {
    std::error_code gone;  // Some are open for a moment only.
    return std::filesystem::read_symlink(fd, gone) == "anon_inode:[eventpoll]";
  };
  return std::ranges::count_if(std::filesystem::directory_iterator(
                                   fmt::format("/proc/{}/fd", server.pid())),
                               std::filesystem::directory_iterator(), is_epoll);
}

TEST(ServingTest, GrpcWaitsForItsConnectionsAsTheFlagSays) {
  Serving polling;
  ASSERT_NO_FATAL_FAILURE(polling.Start());
  Serving epolling;
  ASSERT_NO_FATAL_FAILURE(epolling.Start({"--grpc-poll-strategy=epoll1"}));
  EXPECT_TRUE(polling.client->ServerReady().value_or(false));
  EXPECT_TRUE(epolling.client->ServerReady().value_or(false));
  // HTTP has one or more of its own in both.
  EXPECT_LT(CountEpollSets(*polling.server), CountEpollSets(*epolling.server));
}

TEST(ServingTest, SecondServerOnTheSamePortFailsWithReason) {
  Serving serving;
  serving.repository.Add("m", kTestData / "models/iris_argmax/model.onnx");
  ASSERT_NO_FATAL_FAILURE(serving.Start());
  const std::string& address = serving.server->grpc_address();
  const std::string port = address.substr(address.rfind(':') + 1);
  auto flags = ReludFlags(serving.repository.folder());
  flags.push_back("--grpc-port=" + port);
  const auto second = ServerProcess::Start(std::getenv("RELUD"), flags);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()),
              AllOf(HasSubstr("ended with 1"), HasSubstr(port)));
}

TEST(ServingTest, MissingRepositoryFailsWithReason) {
  const auto server = ServerProcess::Start(std::getenv("RELUD"),
                                           ReludFlags("/nonexistent/models"));
  ASSERT_FALSE(server.ok());
  EXPECT_THAT(std::string(server.status().message()),
              HasSubstr("/nonexistent/models"));
}

}  // namespace
}  // namespace relu
