#include "core/repository/model_explainers.h"

#include <cstddef>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/base/check.h"
#include "core/graph/graph.h"
#include "core/graph/onnx_import.h"
#include "core/plan/compile_options.h"
#include "core/plan/compiled_model.h"
#include "core/relu/explainer.h"
#include "tests/core/repository/offset_model.h"
#include "tests/core/repository/temp_repository.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

CompiledModel CompileFile(const std::filesystem::path& file,
                          const CompileOptions& options = {}) {
  const absl::StatusOr<Graph> graph = ImportOnnx(file);
  CHECK(graph.ok());
  absl::StatusOr<CompiledModel> compiled =
      CompiledModel::Compile(*graph, options);
  CHECK(compiled.ok());
  return *std::move(compiled);
}

TEST(ModelExplainersTest, MakesEachExplainerOnce) {
  const std::filesystem::path file = TempRepository::ModelFile("credit_embed");
  const CompiledModel compiled = CompileFile(file);
  ModelExplainers explainers(compiled, file, kNoLimit);
  EXPECT_EQ(explainers.bytes(), 0U);
  const auto first = explainers.For("");
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ((*first)->network().output_name, "prob");
  EXPECT_EQ(explainers.bytes(), (*first)->network().bytes());
  const auto again = explainers.For("prob");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*again, *first);
}

TEST(ModelExplainersTest, EveryModelThatCanBeExplainedAnswersAsServed) {
  for (const std::string name :
       {"digits_mlp", "digits_bn_dropout", "digits_mlp_fp16", "mnist_256x128",
        "wine", "breast_cancer"}) {
    const std::filesystem::path file = TempRepository::ModelFile(name);
    for (const WeightStorage weights :
         {WeightStorage::kFloat32, WeightStorage::kFloat16}) {
      const CompiledModel compiled = CompileFile(file, {.weights = weights});
      ModelExplainers explainers(compiled, file, kNoLimit);
      EXPECT_TRUE(explainers.For("").ok())
          << name << ": " << explainers.For("").status();
    }
  }
}

TEST(ModelExplainersTest, UnknownOutputIsNotFound) {
  const std::filesystem::path file = TempRepository::ModelFile("digits_mlp");
  const CompiledModel compiled = CompileFile(file);
  ModelExplainers explainers(compiled, file, kNoLimit);
  const absl::Status status = explainers.For("nothing").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("model has \""));
}

TEST(ModelExplainersTest, ModelOfOtherOperatorsIsUnimplemented) {
  const std::filesystem::path file =
      TempRepository::ModelFile("digits_leaky_prelu_elu");
  const CompiledModel compiled = CompileFile(file);
  ModelExplainers explainers(compiled, file, kNoLimit);
  for (int i = 0; i < 2; ++i) {
    const absl::Status status = explainers.For("").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
    EXPECT_THAT(status.message(), HasSubstr("(Elu)"));
  }
}

TEST(ModelExplainersTest, AnotherFileIsNotExplained) {
  const TempRepository repository;
  const std::filesystem::path file =
      WriteOffsetModel(repository.folder() / "m" / "1" / "model.onnx", 1);
  const CompiledModel compiled = CompileFile(file);
  WriteOffsetModel(file, 2);
  ModelExplainers explainers(compiled, file, kNoLimit);
  const absl::Status changed = explainers.For("").status();
  EXPECT_EQ(changed.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(changed.message(), HasSubstr("no longer the one"));
  std::filesystem::remove(file);
  const absl::Status missing = explainers.For("").status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(missing.message(), HasSubstr("load the model again"));
  // It may come back.
  WriteOffsetModel(file, 1);
  EXPECT_TRUE(explainers.For("").ok());
}

TEST(ModelExplainersTest, StaysWithinItsMemory) {
  const std::filesystem::path file = TempRepository::ModelFile("digits_mlp");
  const CompiledModel compiled = CompileFile(file);
  ModelExplainers explainers(compiled, file, 1000);
  EXPECT_EQ(explainers.For("").status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(explainers.bytes(), 0U);
}

}  // namespace
}  // namespace relu
