// What the parameters of a config.pbtxt say of the checks of a model's requests
// and answers:
//
//   input_domain.<input>   what the elements of the input may be, as
//                          core/relu/domain_rule.h reads it: "[0, 1]", or
//                          "0: [18, 100]; 1-3: one_hot; 4: 1"; without any,
//                          what core/relu/compaction_box.h reads of the file
//   domain_policy          of a row that is not in the domain: "reject" (the
//                          default) the request, "flag" the row in the answer,
//                          or "clamp" its numbers to the domain, and flag it
//   nonfinite_inputs       of a row with NaN or infinity: "flag" it in the
//                          answer (the default), or "reject" the request
//   nonfinite_outputs      the same of an answer
//   overflow_certificate   "off" (the default), "warn" if the model may
//                          overflow in its domain, or "refuse" to load it then

#ifndef CORE_REPOSITORY_GUARANTEE_CONFIG_H_
#define CORE_REPOSITORY_GUARANTEE_CONFIG_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/relu/input_domain.h"

namespace inference {
class ModelConfig;
}  // namespace inference

namespace relu {

enum class DomainPolicy : std::uint8_t { kReject, kFlag, kClamp };
enum class NonfinitePolicy : std::uint8_t { kFlag, kReject };
enum class CertificatePolicy : std::uint8_t { kOff, kWarn, kRefuse };

struct GuaranteeConfig {
  std::vector<InputRules> domain;  // By the names of the inputs.
  DomainPolicy domain_policy = DomainPolicy::kReject;
  NonfinitePolicy inputs = NonfinitePolicy::kFlag;
  NonfinitePolicy outputs = NonfinitePolicy::kFlag;
  CertificatePolicy certificate = CertificatePolicy::kOff;
};

// For messages.
inline constexpr std::string_view kGuaranteeParameters =
    "\"input_domain.<input>\", \"domain_policy\", \"nonfinite_inputs\", "
    "\"nonfinite_outputs\" and \"overflow_certificate\"";

// False if the parameter is none of these. INVALID_ARGUMENT, with its name,
// what was found and what was wanted, if its value is wrong.
absl::StatusOr<bool> ReadGuarantee(std::string_view key, std::string_view value,
                                   GuaranteeConfig& config);

// INVALID_ARGUMENT if a parameter that was read has no effect: a policy without
// a domain.
absl::Status CheckGuarantees(const inference::ModelConfig& message,
                             const GuaranteeConfig& config);

// Sets the parameters that are not given to their defaults, and the domain to
// that of the file, for those who ask how a model is configured.
void FillGuarantees(const GuaranteeConfig& config,
                    inference::ModelConfig& message);

}  // namespace relu

#endif  // CORE_REPOSITORY_GUARANTEE_CONFIG_H_
