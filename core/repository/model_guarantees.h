// ModelGuarantees: checks of what a model is asked and of what it answers.

#ifndef CORE_REPOSITORY_MODEL_GUARANTEES_H_
#define CORE_REPOSITORY_MODEL_GUARANTEES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "core/batching/inference_request.h"
#include "core/metrics/guarantee_metrics.h"
#include "core/metrics/reject_reason.h"
#include "core/plan/compiled_model.h"
#include "core/relu/input_domain.h"
#include "core/relu/overflow_certificate.h"
#include "core/repository/guarantee_config.h"

namespace relu {

// What the checks have found in one request: what its client is told.
struct GuaranteeFindings {
  // Rows that are listed at most.
  static constexpr std::size_t kMostListed = 256;

  std::int64_t nonfinite_input_rows = 0;
  std::int64_t nonfinite_output_rows = 0;
  // Of what comes once for all rows: values that are NaN or infinite.
  std::int64_t nonfinite_shared_values = 0;
  // Rows with values outside of the domain: how many, the first of them,
  // ascending, and what the first value is; whether values were moved.
  std::int64_t outside_rows = 0;
  std::vector<std::int64_t> listed_rows = {};
  std::string first_outside = {};
  bool clamped = false;
  // Why the request was refused; kNone: it was not.
  RejectReason refused = RejectReason::kNone;

  bool any() const {
    return nonfinite_input_rows > 0 || nonfinite_output_rows > 0 ||
           outside_rows > 0;
  }
};

// Thread-safe. Takes no memory for a request in which it finds nothing, but
// that of a row for a domain of another type than FP32. Counts what it finds.
class ModelGuarantees {
 public:
  // `certificate` is what was proven at load, if that was wanted. `compiled`
  // and `metrics` outlive this object.
  ModelGuarantees(const CompiledModel& compiled, const GuaranteeConfig& config,
                  InputDomain domain,
                  std::optional<OverflowCertificate> certificate,
                  GuaranteeMetrics& metrics);

  // Checks the inputs of a request that is not submitted yet. Values that are
  // moved to the domain are moved in a copy of their input, `copies` by input,
  // which the request then points to. INVALID_ARGUMENT, with the input, row,
  // element, value and what was wanted, if the configuration is to reject, or
  // to clamp what has no nearest value. The rows have nothing in common.
  absl::Status CheckInputs(InferenceRequest& request,
                           std::vector<std::vector<std::byte>>& copies,
                           GuaranteeFindings& findings) const;

  // The two halves of it, for a request whose rows share values. The first
  // reads them where they are; the second, needed if there is a domain, takes a
  // request of whole rows. Rows that are not inferred are not counted: the
  // metrics are compared with those of the rows that are.
  absl::Status CheckFinite(const InferenceRequest& request,
                           GuaranteeFindings& findings) const;
  bool HasDomain() const { return !domain_.empty(); }
  enum class Counting : std::uint8_t { kCounted, kUncounted };
  absl::Status CheckDomain(InferenceRequest& request,
                           std::vector<std::vector<std::byte>>& copies,
                           GuaranteeFindings& findings,
                           Counting counting = Counting::kCounted) const;

  // Checks the outputs of a request that was answered. INVALID_ARGUMENT if the
  // configuration is to reject.
  absl::Status CheckOutputs(const InferenceRequest& request,
                            GuaranteeFindings& findings) const;

  // nullopt: nobody wanted one.
  const std::optional<OverflowCertificate>& certificate() const {
    return certificate_;
  }

 private:
  const CompiledModel& compiled_;
  const DomainPolicy domain_policy_;
  const NonfinitePolicy inputs_;
  const NonfinitePolicy outputs_;
  const InputDomain domain_;
  const std::optional<OverflowCertificate> certificate_;
  GuaranteeMetrics& metrics_;
};

}  // namespace relu

#endif  // CORE_REPOSITORY_MODEL_GUARANTEES_H_
