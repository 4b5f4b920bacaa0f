#include "core/repository/model_guarantees.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "core/base/status_macros.h"
#include "core/repository/nonfinite_rows.h"
#include "core/repository/row_marks.h"
#include "fmt/format.h"

namespace relu {
namespace {

absl::Status RefuseNonfinite(std::string_view kind, const NonfiniteRows& found,
                             GuaranteeFindings& findings) {
  findings.refused = RejectReason::kNonfinite;
  return absl::InvalidArgumentError(
      fmt::format("{} {}; the model is configured to refuse NaN and infinity",
                  kind, found.first));
}

}  // namespace

ModelGuarantees::ModelGuarantees(const CompiledModel& compiled,
                                 const GuaranteeConfig& config,
                                 InputDomain domain,
                                 std::optional<OverflowCertificate> certificate,
                                 GuaranteeMetrics& metrics)
    : compiled_(compiled),
      domain_policy_(config.domain_policy),
      inputs_(config.inputs),
      outputs_(config.outputs),
      domain_(std::move(domain)),
      certificate_(std::move(certificate)),
      metrics_(metrics) {
  metrics_.DeclareDomain(domain_.labels());
  if (certificate_.has_value()) {
    metrics_.SetCertificate(certificate_->certified,
                            certificate_->largest_value);
  }
}

absl::Status ModelGuarantees::CheckInputs(
    InferenceRequest& request, std::vector<std::vector<std::byte>>& copies,
    GuaranteeFindings& findings) const {
  RETURN_IF_ERROR(CheckFinite(request, findings));
  return HasDomain() ? CheckDomain(request, copies, findings)
                     : absl::OkStatus();
}

absl::Status ModelGuarantees::CheckFinite(const InferenceRequest& request,
                                          GuaranteeFindings& findings) const {
  const NonfiniteRows found = FindNonfiniteInputs(compiled_, request);
  if (found.counts.rows == 0) {
    return absl::OkStatus();
  }
  metrics_.CountInputs(found.counts);
  findings.nonfinite_input_rows = static_cast<std::int64_t>(found.counts.rows);
  findings.nonfinite_shared_values = found.shared_values;
  return inputs_ == NonfinitePolicy::kReject
             ? RefuseNonfinite("input", found, findings)
             : absl::OkStatus();
}

absl::Status ModelGuarantees::CheckDomain(
    InferenceRequest& request, std::vector<std::vector<std::byte>>& copies,
    GuaranteeFindings& findings, Counting counting) const {
  // These take memory as soon as there is something to tell.
  std::optional<RowMarks> marks;
  std::vector<std::uint64_t> values;
  std::string refused;
  for (std::size_t i = 0; i < request.inputs.size(); ++i) {
    const TensorSignature& signature = compiled_.inputs()[i];
    const std::byte* const input = request.inputs[i];
    std::vector<std::byte>& copy = copies[i];
    const auto on_outside = [&](const OutsideValue& outside) {
      if (!marks.has_value()) {
        marks.emplace(request.rows);
        values.resize(domain_.labels().size());
        findings.first_outside = domain_.Text(outside);
      }
      marks->Mark(outside.row);
      ++values[outside.rule];
      if (domain_policy_ == DomainPolicy::kClamp) {
        // Contents that had to be converted lie in `copy` already.
        if (request.inputs[i] != copy.data()) {
          copy.assign(input, input + signature.Bytes(request.rows));
          request.inputs[i] = copy.data();
        }
        if (!domain_.Clamp(outside, copy.data()) && refused.empty()) {
          refused = domain_.Text(outside);
        }
      }
    };
    domain_.VisitOutside(i, signature.row_axis ? request.rows : 1, input,
                         on_outside);
  }
  if (!marks.has_value()) {
    return absl::OkStatus();
  }
  findings.outside_rows = marks->count();
  if (counting == Counting::kCounted) {
    metrics_.CountOutside(static_cast<std::uint64_t>(findings.outside_rows),
                          domain_.labels(), values);
  }
  if (domain_policy_ == DomainPolicy::kReject || !refused.empty()) {
    findings.refused = RejectReason::kOutOfDomain;
    return absl::InvalidArgumentError(
        refused.empty()
            ? findings.first_outside
            : fmt::format("{}, to which nothing is nearest", refused));
  }
  findings.listed_rows = marks->First(GuaranteeFindings::kMostListed);
  findings.clamped = domain_policy_ == DomainPolicy::kClamp;
  return absl::OkStatus();
}

absl::Status ModelGuarantees::CheckOutputs(const InferenceRequest& request,
                                           GuaranteeFindings& findings) const {
  const NonfiniteRows found = FindNonfiniteOutputs(compiled_, request);
  if (found.counts.rows == 0) {
    return absl::OkStatus();
  }
  metrics_.CountOutputs(found.counts);
  findings.nonfinite_output_rows = static_cast<std::int64_t>(found.counts.rows);
  return outputs_ == NonfinitePolicy::kReject
             ? RefuseNonfinite("output", found, findings)
             : absl::OkStatus();
}

}  // namespace relu
