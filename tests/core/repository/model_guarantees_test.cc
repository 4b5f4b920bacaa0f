#include "core/repository/model_guarantees.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/onnx_fields.h"
#include "core/metrics/metrics.h"
#include "core/metrics/model_metrics.h"
#include "core/relu/domain_rule.h"
#include "core/repository/model.h"
#include "core/repository/model_config.h"
#include "fmt/format.h"
#include "proto/onnx.pb.h"
#include "tests/core/graph/model_builder.h"
#include "tests/core/repository/offset_model.h"
#include "tests/core/repository/temp_repository.h"

namespace relu {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinite = std::numeric_limits<float>::infinity();

// Of OffsetModel: "x" and "y" of two floats.
class ModelGuaranteesTest : public ::testing::Test {
 protected:
  static std::string Parameter(std::string_view key, std::string_view value) {
    return fmt::format(
        "parameters {{ key: \"{}\" value {{ string_value: \"{}\" }} }}\n", key,
        value);
  }

  absl::Status Load(const std::filesystem::path& file,
                    const std::string& text) {
    ModelOptions options;
    options.name = "m";
    options.file = file;
    auto config = ReadModelConfig(files_.Write("m/config.pbtxt", text), "m");
    EXPECT_TRUE(config.ok()) << config.status();
    options.config = *std::move(config);
    absl::StatusOr<std::unique_ptr<Model>> model =
        Model::Load(options, metrics_);
    if (model.ok()) {
      model_ = *std::move(model);
    }
    return model.status();
  }

  absl::Status LoadOffset(const std::string& text, float offset = 0.0F) {
    return Load(WriteOffsetModel(files_.folder() / "m/1/model.onnx", offset),
                text);
  }

  // The same of a file that says that it is made smaller for a box of "x".
  absl::Status LoadOffsetForBox(std::string_view box, const std::string& text) {
    onnx::StringStringEntryProto entry;
    entry.set_key("relud.compact.box.x");
    entry.set_value(std::string(box));
    std::string bytes = OffsetModel(0.0F);
    AppendField(kModelMetadata, entry.SerializeAsString(), bytes);
    return Load(files_.Write("m/1/model.onnx", bytes), text);
  }

  // A whole request of these values; its answer is answer_.
  absl::Status Infer(std::vector<float> values) {
    findings_ = {};
    values_ = std::move(values);
    const auto rows = static_cast<std::int64_t>(values_.size() / 2);
    InferenceRequest request;
    request.rows = rows;
    request.inputs = {reinterpret_cast<const std::byte*>(values_.data())};
    answer_.assign(values_.size(), 0.0F);
    request.outputs = {reinterpret_cast<std::byte*>(answer_.data())};
    std::vector<std::vector<std::byte>> copies(1);
    const absl::Status refused =
        model_->guarantees().CheckInputs(request, copies, findings_);
    if (!refused.ok()) {
      return refused;
    }
    request.done = [](const absl::Status& status) {
      EXPECT_TRUE(status.ok()) << status;
    };
    InferenceRequest* const requests[] = {&request};
    model_->scheduler().Submit(requests);
    model_->scheduler().Drain();
    return model_->guarantees().CheckOutputs(request, findings_);
  }

  GuaranteeFigures Figures() { return model_->metrics().Read().guarantees; }

  TempRepository files_;
  Metrics metrics_{"1"};
  std::unique_ptr<Model> model_;
  std::vector<float> values_;
  std::vector<float> answer_;
  GuaranteeFindings findings_;
};

// As reluctl inspect --compact writes it.
constexpr char kBox[] = "0: [0, 1]; 1: [-2, 2]";

TEST_F(ModelGuaranteesTest, BoxOfTheFileIsADomainThatRejects) {
  ASSERT_TRUE(LoadOffsetForBox(kBox, "").ok());
  EXPECT_TRUE(Infer({1, 2}).ok());
  EXPECT_TRUE(model_->guarantees().HasDomain());
  const absl::Status outside = Infer({0, 0, 1.5F, 0});
  EXPECT_EQ(outside.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(outside.message()),
              HasSubstr("input \"x\": row 1, element 0 is 1.5, the domain of "
                        "x[0] is [0, 1]"));
  // It is shown as if it were configured.
  ASSERT_EQ(model_->config().guarantees.domain.size(), 1U);
  EXPECT_EQ(DomainRulesText(model_->config().guarantees.domain[0].rules), kBox);
}

TEST_F(ModelGuaranteesTest, ConfiguredDomainWithinTheBoxOfTheFileIsTaken) {
  ASSERT_TRUE(
      LoadOffsetForBox(kBox, Parameter("input_domain.x", "0: 0.5; 1: [-1, 1]") +
                                 Parameter("domain_policy", "clamp"))
          .ok());
  ASSERT_TRUE(Infer({1, 2}).ok());
  EXPECT_THAT(answer_, ElementsAre(0.5F, 1));
}

TEST_F(ModelGuaranteesTest, ConfiguredDomainBeyondTheBoxOfTheFileIsRefused) {
  for (const std::string_view domain : {"0: [0, 2]; 1: 1", "0: 1"}) {
    const absl::Status status =
        LoadOffsetForBox(kBox, Parameter("input_domain.x", domain));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("the model was made smaller for a part of its "
                                "inputs"),
                      HasSubstr("may be more than")));
  }
}

TEST_F(ModelGuaranteesTest, BoxOfTheFileThatDoesNotFitIsRefused) {
  EXPECT_THAT(std::string(LoadOffsetForBox("7: 1", "").message()),
              HasSubstr("a row has 2 elements"));
  EXPECT_THAT(std::string(LoadOffsetForBox("?", "").message()),
              HasSubstr("metadata \"relud.compact.box.x\""));
}

TEST_F(ModelGuaranteesTest, GoodRequestHasNoFindings) {
  ASSERT_TRUE(LoadOffset("", 1).ok());
  ASSERT_TRUE(Infer({1, 2, 3, -4}).ok());
  EXPECT_THAT(answer_, ElementsAre(2, 3, 4, -3));
  EXPECT_FALSE(findings_.any());
  EXPECT_EQ(Figures().inputs.rows, 0U);
  EXPECT_FALSE(model_->guarantees().certificate().has_value());
}

TEST_F(ModelGuaranteesTest, NanAndInfinityAreCountedOnBothSidesAndStay) {
  ASSERT_TRUE(LoadOffset("").ok());
  ASSERT_TRUE(Infer({kNan, 2, 3, 4, -kInfinite, kNan}).ok());
  EXPECT_TRUE(std::isnan(answer_[0]));
  EXPECT_EQ(answer_[4], -kInfinite);
  EXPECT_EQ(findings_.nonfinite_input_rows, 2);
  EXPECT_EQ(findings_.nonfinite_output_rows, 2);
  for (const NonfiniteCounts& counts : {Figures().inputs, Figures().outputs}) {
    EXPECT_EQ(counts.nans, 2U);
    EXPECT_EQ(counts.infinities, 1U);
    EXPECT_EQ(counts.rows, 2U);
  }
}

TEST_F(ModelGuaranteesTest, RefusedInputIsNamedAndCounted) {
  ASSERT_TRUE(LoadOffset(Parameter("nonfinite_inputs", "reject")).ok());
  const absl::Status status = Infer({1, 2, 3, kNan});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("input \"x\": row 1, element 1 is nan"));
  EXPECT_EQ(findings_.refused, RejectReason::kNonfinite);
  EXPECT_EQ(Figures().inputs.nans, 1U);
  EXPECT_TRUE(Infer({1, 2}).ok());
  EXPECT_EQ(findings_.refused, RejectReason::kNone);
}

TEST_F(ModelGuaranteesTest, RefusedOutputIsNamedAndCounted) {
  ASSERT_TRUE(LoadOffset(Parameter("nonfinite_outputs", "reject"), 3e38F).ok());
  const absl::Status status = Infer({1, 2, 3, 3e38F});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("output \"y\": row 1, element 1 is inf"));
  EXPECT_EQ(findings_.refused, RejectReason::kNonfinite);
  EXPECT_EQ(Figures().inputs.rows, 0U);
  EXPECT_EQ(Figures().outputs.infinities, 1U);
}

TEST_F(ModelGuaranteesTest, RowsNeedNotBeTheFirstDimension) {
  ModelBuilder builder;
  builder.Input("x", {{2, -1}}).Node("Relu", {"x"}, "y").Output("y", {{2, -1}});
  const std::filesystem::path file =
      files_.Write("m/1/model.onnx", builder.model().SerializeAsString());
  ASSERT_TRUE(Load(file, Parameter("nonfinite_inputs", "reject")).ok());
  // Three rows: element 1 of row 2.
  const absl::Status status = Infer({1, 2, 3, 4, 5, kNan});
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("input \"x\": row 2, element 1 is nan"));
  EXPECT_EQ(Figures().inputs.rows, 1U);
}

TEST_F(ModelGuaranteesTest, RejectRefusesTheRequest) {
  ASSERT_TRUE(LoadOffset(Parameter("input_domain.x", "0: [0, 1]; 1: 5")).ok());
  ASSERT_TRUE(Infer({0.5, 5, 1, 5}).ok());
  EXPECT_FALSE(findings_.any());
  const absl::Status status = Infer({0.5, 5, 1.5, 6});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(std::string(status.message()),
            "input \"x\": row 1, element 0 is 1.5, the domain of x[0] is "
            "[0, 1]");
  EXPECT_EQ(findings_.refused, RejectReason::kOutOfDomain);
  EXPECT_EQ(Figures().outside_rows, 1U);
  EXPECT_THAT(Figures().outside_values,
              ElementsAre(Pair("x[0]", 1), Pair("x[1]", 1)));
}

TEST_F(ModelGuaranteesTest, FlagAnswersWithTheSameBitsAndSaysWhich) {
  const std::vector<float> rows = {0.5, 5, 1.5, 6, 1, 5, kNan, 5};
  ASSERT_TRUE(LoadOffset("", 0.1F).ok());
  ASSERT_TRUE(Infer(rows).ok());
  const std::vector<float> plain = answer_;
  ASSERT_TRUE(LoadOffset(Parameter("input_domain.x", "0: [0, 1]; 1: 5") +
                             Parameter("domain_policy", "flag"),
                         0.1F)
                  .ok());
  ASSERT_TRUE(Infer(rows).ok());
  EXPECT_EQ(
      std::memcmp(answer_.data(), plain.data(), plain.size() * sizeof(float)),
      0);
  EXPECT_EQ(findings_.outside_rows, 2);
  EXPECT_THAT(findings_.listed_rows, ElementsAre(1, 3));
  EXPECT_THAT(findings_.first_outside, HasSubstr("row 1, element 0 is 1.5"));
  EXPECT_FALSE(findings_.clamped);
  EXPECT_EQ(Figures().outside_rows, 2U);
}

TEST_F(ModelGuaranteesTest, OnlySoManyRowsAreListed) {
  ASSERT_TRUE(LoadOffset(Parameter("input_domain.x", "[0, 1]") +
                         Parameter("domain_policy", "flag"))
                  .ok());
  ASSERT_TRUE(Infer(std::vector<float>(2 * 300, 7.0F)).ok());
  EXPECT_EQ(findings_.outside_rows, 300);
  EXPECT_EQ(findings_.listed_rows.size(), GuaranteeFindings::kMostListed);
  EXPECT_EQ(findings_.listed_rows.back(), 255);
}

TEST_F(ModelGuaranteesTest, ClampAnswersTheNearestRowAndLeavesTheRequest) {
  ASSERT_TRUE(
      LoadOffset(Parameter("input_domain.x", "0: [0, 1]; 1: [-2, inf]") +
                 Parameter("domain_policy", "clamp"))
          .ok());
  ASSERT_TRUE(Infer({0.5, 7, -3, kInfinite, 9, -9}).ok());
  EXPECT_THAT(answer_,
              ElementsAre(0.5, 7, 0, std::numeric_limits<float>::max(), 1, -2));
  EXPECT_EQ(values_[2], -3.0F);
  EXPECT_EQ(findings_.outside_rows, 2);
  EXPECT_TRUE(findings_.clamped);
  // Infinity was there, too.
  EXPECT_EQ(findings_.nonfinite_input_rows, 1);
  EXPECT_EQ(findings_.nonfinite_output_rows, 0);
  ASSERT_TRUE(Infer({0.5, 7}).ok());
  EXPECT_FALSE(findings_.any());
}

TEST_F(ModelGuaranteesTest, ClampRefusesNanAndCategories) {
  ASSERT_TRUE(LoadOffset(Parameter("input_domain.x", "0: [0, 1]") +
                         Parameter("domain_policy", "clamp"))
                  .ok());
  const absl::Status nan = Infer({7, 0, kNan, 0});
  EXPECT_EQ(nan.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(nan.message()),
              AllOf(HasSubstr("row 1, element 0 is nan"),
                    HasSubstr("to which nothing is nearest")));
  EXPECT_EQ(findings_.refused, RejectReason::kOutOfDomain);
  ASSERT_TRUE(LoadOffset(Parameter("input_domain.x", "one_hot") +
                         Parameter("domain_policy", "clamp"))
                  .ok());
  EXPECT_TRUE(Infer({0, 1, 1, 0}).ok());
  EXPECT_EQ(Infer({0, 0.5}).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ModelGuaranteesTest, ConvertedContentsAreClampedInPlace) {
  ASSERT_TRUE(LoadOffset(Parameter("input_domain.x", "[0, 1]") +
                         Parameter("domain_policy", "clamp"))
                  .ok());
  const std::vector<float> values = {5, -5};
  std::vector<std::vector<std::byte>> copies(1);
  const auto* const bytes = reinterpret_cast<const std::byte*>(values.data());
  copies[0].assign(bytes, bytes + sizeof(float) * 2);
  InferenceRequest request;
  request.rows = 1;
  request.inputs = {copies[0].data()};
  request.outputs = {nullptr};
  ASSERT_TRUE(
      model_->guarantees().CheckInputs(request, copies, findings_).ok());
  std::vector<float> moved(2);
  std::memcpy(moved.data(), request.inputs[0], sizeof(float) * 2);
  EXPECT_THAT(moved, ElementsAre(1, 0));
  // An output that nobody wants.
  EXPECT_TRUE(model_->guarantees().CheckOutputs(request, findings_).ok());
}

TEST_F(ModelGuaranteesTest, DomainThatDoesNotFitTheModelIsNotLoaded) {
  const absl::Status status = LoadOffset(Parameter("input_domain.z", "1"));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("model \"m\""),
                    HasSubstr("the domain of input \"z\": the model has "
                              "\"x\"")));
}

TEST_F(ModelGuaranteesTest, ModelThatMayOverflowIsRefusedOrWarnedOf) {
  const std::string domain = Parameter("input_domain.x", "[0, 3e38]");
  const absl::Status refused =
      LoadOffset(domain + Parameter("overflow_certificate", "refuse"), 1e38F);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("a value or sum may reach 4e+38"));

  ASSERT_TRUE(
      LoadOffset(domain + Parameter("overflow_certificate", "warn"), 1e38F)
          .ok());
  ASSERT_TRUE(model_->guarantees().certificate().has_value());
  EXPECT_FALSE(model_->guarantees().certificate()->certified);
  EXPECT_EQ(Figures().certified, false);
  EXPECT_THAT(CertificateText(*model_->guarantees().certificate()),
              HasSubstr("not certified"));
}

TEST_F(ModelGuaranteesTest, SafeModelIsLoadedWithItsCertificate) {
  ASSERT_TRUE(LoadOffset(Parameter("input_domain.x", "[0, 3e38]") +
                             Parameter("overflow_certificate", "refuse"),
                         1e36F)
                  .ok());
  ASSERT_TRUE(model_->guarantees().certificate().has_value());
  EXPECT_TRUE(model_->guarantees().certificate()->certified);
  EXPECT_EQ(Figures().certified, true);
  EXPECT_NEAR(Figures().largest_value, 3.01e38, 1e36);
  EXPECT_THAT(CertificateText(*model_->guarantees().certificate()),
              HasSubstr("certified: no input of its domain overflows"));
  EXPECT_THAT(Figures().outside_values, ElementsAre(Pair("x", 0)));
  // As it was proven.
  ASSERT_TRUE(Infer({3e38F, 0, 1, 3e38F}).ok());
  EXPECT_FALSE(findings_.any());
  EXPECT_THAT(findings_.listed_rows, IsEmpty());
}

}  // namespace
}  // namespace relu
