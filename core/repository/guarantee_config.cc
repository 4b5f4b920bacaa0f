#include "core/repository/guarantee_config.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/base/status_prefix.h"
#include "core/relu/domain_rule.h"
#include "core/repository/config_fields.h"
#include "fmt/format.h"
#include "proto/model_config.pb.h"

namespace relu {
namespace {

constexpr std::string_view kInputDomain = "input_domain.";
constexpr std::string_view kDomainPolicy = "domain_policy";
constexpr std::string_view kNonfiniteInputs = "nonfinite_inputs";
constexpr std::string_view kNonfiniteOutputs = "nonfinite_outputs";
constexpr std::string_view kCertificate = "overflow_certificate";

absl::StatusOr<NonfinitePolicy> ReadNonfinite(std::string_view key,
                                              std::string_view value) {
  return ReadChoice<NonfinitePolicy>(
      key, value,
      {{"flag", NonfinitePolicy::kFlag}, {"reject", NonfinitePolicy::kReject}});
}

absl::Status ReadInputDomain(std::string_view key, std::string_view value,
                             GuaranteeConfig& config) {
  absl::StatusOr<std::vector<DomainRule>> rules = ParseDomainRules(value);
  if (!rules.ok()) {
    return WithPrefix(fmt::format("parameters \"{}\": ", key), rules.status());
  }
  // Parameters come in any order.
  const std::string_view input = key.substr(kInputDomain.size());
  const auto place =
      std::ranges::upper_bound(config.domain, input, {}, &InputRules::input);
  config.domain.insert(
      place, {.input = std::string(input), .rules = *std::move(rules)});
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<bool> ReadGuarantee(std::string_view key, std::string_view value,
                                   GuaranteeConfig& config) {
  if (key.starts_with(kInputDomain)) {
    RETURN_IF_ERROR(ReadInputDomain(key, value, config));
  } else if (key == kDomainPolicy) {
    ASSIGN_OR_RETURN(
        config.domain_policy,
        ReadChoice<DomainPolicy>(key, value,
                                 {{"reject", DomainPolicy::kReject},
                                  {"flag", DomainPolicy::kFlag},
                                  {"clamp", DomainPolicy::kClamp}}));
  } else if (key == kNonfiniteInputs) {
    ASSIGN_OR_RETURN(config.inputs, ReadNonfinite(key, value));
  } else if (key == kNonfiniteOutputs) {
    ASSIGN_OR_RETURN(config.outputs, ReadNonfinite(key, value));
  } else if (key == kCertificate) {
    ASSIGN_OR_RETURN(config.certificate,
                     ReadChoice<CertificatePolicy>(
                         key, value,
                         {{"off", CertificatePolicy::kOff},
                          {"warn", CertificatePolicy::kWarn},
                          {"refuse", CertificatePolicy::kRefuse}}));
  } else {
    return false;
  }
  return true;
}

absl::Status CheckGuarantees(const inference::ModelConfig& message,
                             const GuaranteeConfig& config) {
  if (config.domain.empty() &&
      message.parameters().contains(std::string(kDomainPolicy))) {
    return absl::InvalidArgumentError(
        fmt::format("parameters \"{}\" has no effect without an "
                    "\"input_domain.<input>\"",
                    kDomainPolicy));
  }
  return absl::OkStatus();
}

void FillGuarantees(const GuaranteeConfig& config,
                    inference::ModelConfig& message) {
  auto& parameters = *message.mutable_parameters();
  const auto fill = [&](std::string_view key, std::string_view value) {
    auto& parameter = parameters[std::string(key)];
    if (parameter.string_value().empty()) {
      parameter.set_string_value(std::string(value));
    }
  };
  for (const InputRules& of_input : config.domain) {
    fill(fmt::format("{}{}", kInputDomain, of_input.input),
         DomainRulesText(of_input.rules));
  }
  if (!config.domain.empty()) {
    fill(kDomainPolicy, "reject");
  }
  fill(kNonfiniteInputs, "flag");
  fill(kNonfiniteOutputs, "flag");
  fill(kCertificate, "off");
}

}  // namespace relu
