// Every model and quirk of the test data against its reference outputs, in
// batches of 1, 3 and 32 rows.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/graph/onnx_import.h"
#include "core/plan/compiled_model.h"
#include "core/plan/self_check.h"
#include "core/tensor/data_type.h"
#include "core/tensor/float16.h"
#include "core/tensor/tensor.h"
#include "tests/core/plan/plan_runner.h"
#include "tests/support/golden_hashes.h"
#include "tests/support/reference_model.h"

namespace relu {
namespace {

double ElementAt(const Tensor& tensor, std::size_t i) {
  switch (tensor.type()) {
    case DataType::kFp16:
      return Fp16ToFloat(tensor.As<std::uint16_t>()[i]);
    case DataType::kFp64:
      return tensor.As<double>()[i];
    case DataType::kInt64:
      return static_cast<double>(tensor.As<std::int64_t>()[i]);
    default:
      return tensor.As<float>()[i];
  }
}

// NaN must meet NaN, and an infinity itself.
bool Close(double found, double wanted, double tolerance) {
  if (std::isnan(wanted) || std::isinf(wanted)) {
    return std::isnan(wanted) ? std::isnan(found) : found == wanted;
  }
  return std::abs(found - wanted) <= tolerance;
}

void ExpectClose(const Tensor& found, const Tensor& wanted, double tolerance) {
  ASSERT_EQ(found.type(), wanted.type());
  ASSERT_EQ(found.shape(), wanted.shape());
  const auto count = static_cast<std::size_t>(wanted.element_count());
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_TRUE(Close(ElementAt(found, i), ElementAt(wanted, i), tolerance))
        << "element " << i << " is " << ElementAt(found, i) << ", wanted "
        << ElementAt(wanted, i) << " within " << tolerance;
  }
}

class ReferenceOutputsTest
    : public ::testing::TestWithParam<std::filesystem::path> {};
using GoldenOutputsTest = ReferenceOutputsTest;

TEST_P(ReferenceOutputsTest, PlanAgreesInEveryBatchSize) {
  const absl::StatusOr<ReferenceModel> reference = LoadReference(GetParam());
  ASSERT_TRUE(reference.ok()) << reference.status();
  const absl::StatusOr<Graph> graph = ImportOnnx(reference->onnx);
  const absl::StatusOr<CompiledModel> model =
      graph.ok() ? CompiledModel::Compile(*graph) : graph.status();
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_TRUE(SelfCheck(*graph, *model).ok()) << SelfCheck(*graph, *model);
  ASSERT_EQ(reference->outputs.size(), model->outputs().size());
  const std::int64_t rows = reference->outputs.begin()->second.shape()[0];
  for (const std::int64_t batch : {1, 3, 32}) {
    for (std::int64_t first = 0; first < rows; first += batch) {
      std::vector<Tensor> inputs;
      for (const TensorSignature& input : model->inputs()) {
        inputs.push_back(
            SliceRows(reference->inputs.at(input.name), first, batch));
      }
      const PlanRun run = RunPlan(*model, inputs);
      EXPECT_EQ(run.fault, std::nullopt);
      for (std::size_t i = 0; i < run.outputs.size(); ++i) {
        const std::string& name = model->outputs()[i].name;
        SCOPED_TRACE(name);
        ExpectClose(run.outputs[i],
                    SliceRows(reference->outputs.at(name), first, batch),
                    reference->tolerances.at(name));
      }
    }
  }
}

TEST_P(GoldenOutputsTest, BitsAreTheGoldenOnes) {
  const absl::StatusOr<ReferenceModel> reference = LoadReference(GetParam());
  ASSERT_TRUE(reference.ok()) << reference.status();
  const absl::StatusOr<Graph> graph = ImportOnnx(reference->onnx);
  ASSERT_TRUE(graph.ok()) << graph.status();
  const CompiledModel model = CompileOrDie(*graph);
  std::vector<Tensor> inputs;
  for (const TensorSignature& input : model.inputs()) {
    inputs.push_back(reference->inputs.at(input.name).Clone());
  }
  std::vector<std::byte> bytes;
  for (const Tensor& output : RunPlan(model, inputs).outputs) {
    bytes.insert(bytes.end(), output.bytes().begin(), output.bytes().end());
  }
  ExpectGoldenHash("tests/testdata/golden_models/hashes.txt", reference->name,
                   bytes);
}

std::string TestName(
    const ::testing::TestParamInfo<std::filesystem::path>& info) {
  return info.param.filename().string();
}

INSTANTIATE_TEST_SUITE_P(
    Models, ReferenceOutputsTest,
    ::testing::ValuesIn(ReferenceFolders("tests/testdata/models")), TestName);
INSTANTIATE_TEST_SUITE_P(
    Models, GoldenOutputsTest,
    ::testing::ValuesIn(ReferenceFolders("tests/testdata/models")), TestName);
INSTANTIATE_TEST_SUITE_P(
    Quirks, ReferenceOutputsTest,
    ::testing::ValuesIn(ReferenceFolders("tests/testdata/quirks")), TestName);

}  // namespace
}  // namespace relu
