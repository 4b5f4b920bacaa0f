#include "core/repository/guarantee_config.h"

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/relu/domain_rule.h"
#include "core/repository/model_config.h"
#include "fmt/format.h"
#include "proto/model_config.pb.h"
#include "tests/core/repository/temp_repository.h"

namespace relu {
namespace {

using ::testing::HasSubstr;

class GuaranteeConfigTest : public ::testing::Test {
 protected:
  absl::StatusOr<ModelConfig> Read(std::string_view text) {
    return ReadModelConfig(files_.Write("m/config.pbtxt", text), "m");
  }

  GuaranteeConfig Good(std::string_view text) {
    const absl::StatusOr<ModelConfig> config = Read(text);
    EXPECT_TRUE(config.ok()) << config.status();
    return config.ok() ? config->guarantees : GuaranteeConfig();
  }

  std::string ErrorOf(std::string_view text) {
    const absl::Status status = Read(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  }

  static std::string Parameter(std::string_view key, std::string_view value) {
    return fmt::format(
        "parameters {{ key: \"{}\" value {{ string_value: \"{}\" }} }}\n", key,
        value);
  }

  TempRepository files_;
};

TEST_F(GuaranteeConfigTest, DefaultsFlagWhatIsNotFiniteAndNothingElse) {
  const GuaranteeConfig config = Good("");
  EXPECT_TRUE(config.domain.empty());
  EXPECT_EQ(config.domain_policy, DomainPolicy::kReject);
  EXPECT_EQ(config.inputs, NonfinitePolicy::kFlag);
  EXPECT_EQ(config.outputs, NonfinitePolicy::kFlag);
  EXPECT_EQ(config.certificate, CertificatePolicy::kOff);
}

TEST_F(GuaranteeConfigTest, EveryParameterIsRead) {
  const GuaranteeConfig config =
      Good(Parameter("input_domain.b", "[0, 1]") +
           Parameter("input_domain.a", "0: 7; 1-2: one_hot") +
           Parameter("domain_policy", "clamp") +
           Parameter("nonfinite_inputs", "reject") +
           Parameter("nonfinite_outputs", "reject") +
           Parameter("overflow_certificate", "refuse"));
  ASSERT_EQ(config.domain.size(), 2U);
  EXPECT_EQ(config.domain[0].input, "a");
  ASSERT_EQ(config.domain[0].rules.size(), 2U);
  EXPECT_EQ(config.domain[0].rules[1].kind, DomainRule::Kind::kOneHot);
  EXPECT_EQ(config.domain[1].input, "b");
  EXPECT_EQ(config.domain_policy, DomainPolicy::kClamp);
  EXPECT_EQ(config.inputs, NonfinitePolicy::kReject);
  EXPECT_EQ(config.outputs, NonfinitePolicy::kReject);
  EXPECT_EQ(config.certificate, CertificatePolicy::kRefuse);
}

TEST_F(GuaranteeConfigTest, EveryPolicyHasItsName) {
  const std::string domain = Parameter("input_domain.x", "1");
  EXPECT_EQ(Good(domain + Parameter("domain_policy", "flag")).domain_policy,
            DomainPolicy::kFlag);
  EXPECT_EQ(Good(domain + Parameter("domain_policy", "reject")).domain_policy,
            DomainPolicy::kReject);
  EXPECT_EQ(Good(Parameter("nonfinite_inputs", "flag")).inputs,
            NonfinitePolicy::kFlag);
  EXPECT_EQ(Good(Parameter("overflow_certificate", "warn")).certificate,
            CertificatePolicy::kWarn);
  EXPECT_EQ(Good(Parameter("overflow_certificate", "off")).certificate,
            CertificatePolicy::kOff);
}

TEST_F(GuaranteeConfigTest, WrongValueReturnsInvalidArgumentWithTheChoices) {
  EXPECT_THAT(ErrorOf(Parameter("input_domain.x", "1") +
                      Parameter("domain_policy", "drop")),
              HasSubstr("parameters \"domain_policy\" is \"drop\", wanted "
                        "\"reject\" or \"flag\" or \"clamp\""));
  EXPECT_THAT(ErrorOf(Parameter("nonfinite_inputs", "clamp")),
              HasSubstr("wanted \"flag\" or \"reject\""));
  EXPECT_THAT(ErrorOf(Parameter("nonfinite_outputs", "")),
              HasSubstr("wanted \"flag\" or \"reject\""));
  EXPECT_THAT(ErrorOf(Parameter("overflow_certificate", "on")),
              HasSubstr("wanted \"off\" or \"warn\" or \"refuse\""));
}

TEST_F(GuaranteeConfigTest, WrongRuleReturnsInvalidArgumentWithTheParameter) {
  EXPECT_THAT(ErrorOf(Parameter("input_domain.x", "0: [2, 1]")),
              HasSubstr("config.pbtxt: parameters \"input_domain.x\": rule "
                        "\"0: [2, 1]\": 2 is above 1"));
}

TEST_F(GuaranteeConfigTest, PolicyWithoutADomainReturnsInvalidArgument) {
  EXPECT_THAT(ErrorOf(Parameter("domain_policy", "reject")),
              HasSubstr("has no effect without an \"input_domain.<input>\""));
}

TEST_F(GuaranteeConfigTest, UnknownParameterNamesThoseThatThereAre) {
  const absl::Status status = Read(Parameter("input_domains", "1")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("\"input_domain.<input>\", \"domain_policy\""));
}

TEST_F(GuaranteeConfigTest, DefaultsAreFilledInAndWhatIsGivenStays) {
  const GuaranteeConfig none;
  inference::ModelConfig message;
  FillGuarantees(none, message);
  EXPECT_EQ(message.parameters().at("nonfinite_inputs").string_value(), "flag");
  EXPECT_EQ(message.parameters().at("nonfinite_outputs").string_value(),
            "flag");
  EXPECT_EQ(message.parameters().at("overflow_certificate").string_value(),
            "off");
  EXPECT_FALSE(message.parameters().contains("domain_policy"));

  const absl::StatusOr<ModelConfig> given =
      Read(Parameter("input_domain.x", "[0, 1]") +
           Parameter("overflow_certificate", "warn"));
  ASSERT_TRUE(given.ok()) << given.status();
  message = *given->message;
  FillGuarantees(given->guarantees, message);
  EXPECT_EQ(message.parameters().at("input_domain.x").string_value(), "[0, 1]");
  EXPECT_EQ(message.parameters().at("domain_policy").string_value(), "reject");
  EXPECT_EQ(message.parameters().at("overflow_certificate").string_value(),
            "warn");
}

TEST_F(GuaranteeConfigTest, DomainThatIsNotOfTheConfigIsFilledIn) {
  GuaranteeConfig of_file;
  of_file.domain = {{.input = "x", .rules = {{.low = 0.0, .high = 1.0}}}};
  inference::ModelConfig message;
  FillGuarantees(of_file, message);
  EXPECT_EQ(message.parameters().at("input_domain.x").string_value(), "[0, 1]");
  EXPECT_EQ(message.parameters().at("domain_policy").string_value(), "reject");
}

}  // namespace
}  // namespace relu
