// The real relud binary on model files that are broken, hostile or not for it:
// each is refused with file, node and reason, takes no memory to speak of, and
// harms no other model. RELUD names the binary.

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/infer_request.h"
#include "client/infer_result.h"
#include "client/inference_client.h"
#include "core/base/status_macros.h"
#include "fmt/format.h"
#include "tests/core/graph/model_builder.h"
#include "tests/integration/repository_builder.h"
#include "tests/integration/server_process.h"
#include "tests/support/sanitizers.h"

namespace relu {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

const fs::path kMalformed = "tests/testdata/malformed";
// One byte more than protobuf can parse.
constexpr std::uintmax_t kOversizedBytes = std::uintmax_t{1} << 31;

class BadModelsTest : public testing::Test {
 protected:
  void SetUp() override {
    repository_.Add("good", "tests/testdata/models/digits_mlp/model.onnx");
  }

  // Starts the server, in the place of one that runs.
  void Start() {
    server_.reset();
    auto started = ServerProcess::Start(std::getenv("RELUD"),
                                        ReludFlags(repository_.folder()));
    ASSERT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
    auto client = InferenceClient::Create(server_->grpc_address());
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }

  fs::path FileOf(const std::string& model) const {
    return repository_.folder() / model / "1" / "model.onnx";
  }

  // The file of a model in the repository, to be written.
  std::ofstream Create(const std::string& model) const {
    fs::create_directories(FileOf(model).parent_path());
    return std::ofstream(FileOf(model), std::ios::binary);
  }

  // The answer to one row.
  absl::StatusOr<std::vector<float>> Infer(const std::string& model) {
    const std::vector<float> row(64, 0.5F);
    const std::vector<std::int64_t> shape = {1, 64};
    ASSIGN_OR_RETURN(
        const InferResult result,
        client_->Infer(InferRequest(model).AddInput<float>("input", shape, row),
                       {.repeatable = false}));  // It would not get better.
    ASSIGN_OR_RETURN(const auto values, result.Values<float>("output"));
    return std::vector<float>(values.begin(), values.end());
  }

  RepositoryBuilder repository_;
  std::unique_ptr<ServerProcess> server_;
  std::unique_ptr<InferenceClient> client_;
};

// Truncated, random, cut off, contradictory, hostile: files of kMalformed.
std::map<std::string, std::string> MalformedFilesWithReasons() {
  const std::string no_onnx =
      "not an ONNX file: damaged, cut short or of another format";
  return {
      {"02_one_byte", no_onnx},
      {"04_random", no_onnx},
      {"07_truncated_1of4", no_onnx},
      {"11_no_graph", "the model has no graph"},
      {"12_no_outputs", "the graph has no output"},
      {"18_ir_9999", "IR version 9999, wanted 1 to 100"},
      {"23_missing_initializer",
       R"(node "g1" (Gemm): no input, initializer or node gives its input "W1")"},
      {"32_dims_mismatch_raw",
       R"(tensor "W1": 128 bytes of raw data and 0 elements in other fields, )"
       "shape [5,8] of FP32 takes 160 bytes of raw data alone"},
      {"35_dims_overflow",
       R"(tensor "W1": shape [1099511627776,1099511627776]: a size is negative)"},
      {"51_nan_weight",
       R"(constant "W1" has an element that is NaN or infinite)"},
      {"56_unknown_domain",
       R"(node "Gemm_0" (com.evil.Gemm): the operator is not supported)"},
      {"73_ext_missing",
       R"(tensor "W1": external data "missing.bin": no such file)"},
      {"79_ext_huge_len",
       R"(tensor "W1": external data has a length of 4611686018427387904 bytes)"},
      {"91_expand_bomb",
       R"(node "ConstantOfShape_0" (ConstantOfShape): value "y", shape )"
       "[1048576,16384]: more elements"},
  };
}

TEST_F(BadModelsTest, AreRefusedWithFileNodeAndReasonWhileOthersServe) {
  std::map<std::string, std::string> bad = MalformedFilesWithReasons();
  for (const auto& [name, reason] : bad) {
    repository_.Add(name, kMalformed / (name + ".onnx"));
  }
  ModelBuilder cyclic;
  cyclic.Input("input", {.sizes = {-1, 64}})
      .Node("Add", {"input", "b"}, "a")
      .Node("Relu", {"a"}, "b")
      .Output("b");
  Create("cyclic") << cyclic.model().SerializeAsString();
  bad["cyclic"] =
      R"(node "a" (Add) is part of a cycle: it reads what is made from its own )"
      "output";
  ModelBuilder unsupported;
  unsupported.Input("input", {.sizes = {-1, 64}})
      .Node("NonZero", {"input"}, "y")
      .Output("y");
  Create("unsupported") << unsupported.model().SerializeAsString();
  bad["unsupported"] =
      R"(node "y" (NonZero): the operator is not supported; export with these )"
      "alone";
  Create("oversized");
  fs::resize_file(FileOf("oversized"), kOversizedBytes);  // Sparse.
  bad["oversized"] = "2147483648 bytes, the most is 2147483647";
  ASSERT_NO_FATAL_FAILURE(Start());

  const auto index = client_->RepositoryIndex();
  ASSERT_TRUE(index.ok()) << index.status();
  ASSERT_EQ(index->size(), bad.size() + 1);
  for (const ModelIndexEntry& entry : *index) {
    if (entry.name == "good") {
      EXPECT_EQ(entry.state, "READY") << entry.reason;
      continue;
    }
    EXPECT_EQ(entry.state, "UNAVAILABLE") << entry.name;
    const std::string reason =
        fmt::format("model \"{}\": {}: {}", entry.name,
                    FileOf(entry.name).string(), bad.at(entry.name));
    EXPECT_THAT(entry.reason, StartsWith(reason));
    // The log says the same, and so does the answer to a request.
    EXPECT_THAT(server_->log(),
                HasSubstr(fmt::format("warning model '{}' is not served: {}",
                                      entry.name, reason)));
    const absl::Status status = Infer(entry.name).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
    EXPECT_THAT(
        std::string(status.message()),
        HasSubstr(fmt::format("Request for unknown model: '{}' is not ready: "
                              "{}",
                              entry.name, reason)));
    const auto answer = Infer("good");
    EXPECT_TRUE(answer.ok()) << "after " << entry.name << answer.status();
  }
  // Not every model is there: the server says so.
  EXPECT_THAT(client_->ServerReady().value_or(true), false);
}

TEST_F(BadModelsTest, WholeCorpusChangesNeitherMemoryNorAnswersOfAnother) {
  if (kSanitized) {
    GTEST_SKIP() << "sanitizers take memory of their own";
  }
  ASSERT_NO_FATAL_FAILURE(Start());
  const auto answer = Infer("good");
  ASSERT_TRUE(answer.ok()) << answer.status();
  const std::int64_t most_kib = server_->StatusKib("VmHWM");

  int files = 0;
  for (const auto& file : fs::directory_iterator(kMalformed)) {
    if (file.path().extension() == ".onnx") {
      repository_.Add(file.path().stem().string(), file.path());
      ++files;
    }
  }
  ASSERT_EQ(files, 47);
  ASSERT_NO_FATAL_FAILURE(Start());
  const auto answer_beside = Infer("good");
  ASSERT_TRUE(answer_beside.ok()) << answer_beside.status();
  EXPECT_EQ(*answer_beside, *answer);
  // The files have 0.2 MB; what some of them claim is terabytes.
  EXPECT_LT(server_->StatusKib("VmHWM"), most_kib + (8 << 10));
}

}  // namespace
}  // namespace relu
