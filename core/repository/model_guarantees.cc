#include "core/repository/model_guarantees.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "core/base/status_macros.h"
#include "core/relu/nonfinite.h"
#include "core/tensor/data_type.h"
#include "fmt/format.h"

namespace relu {
namespace {

// Which rows of a request something was found in.
class RowMarks {
 public:
  explicit RowMarks(std::int64_t rows)
      : marked_(static_cast<std::size_t>(rows)) {}

  void Mark(std::int64_t row) { marked_[static_cast<std::size_t>(row)] = true; }
  std::int64_t count() const { return std::ranges::count(marked_, true); }
  // The first `most`, ascending.
  std::vector<std::int64_t> First(std::size_t most) const {
    std::vector<std::int64_t> rows;
    for (std::size_t i = 0; i < marked_.size() && rows.size() < most; ++i) {
      if (marked_[i]) {
        rows.push_back(static_cast<std::int64_t>(i));
      }
    }
    return rows;
  }

 private:
  std::vector<bool> marked_;
};

// Where element `element` of a whole tensor is.
struct ElementPlace {
  std::int64_t row = 0;
  std::size_t element = 0;  // Of the row.
};

ElementPlace PlaceOf(const TensorSignature& signature, std::int64_t rows,
                     std::size_t element) {
  if (!signature.row_axis.has_value()) {
    return {.row = 0, .element = element};
  }
  std::size_t inner = 1;  // Elements between those of a row and of the next.
  for (std::size_t axis = *signature.row_axis + 1;
       axis < signature.shape.size(); ++axis) {
    inner *= static_cast<std::size_t>(signature.shape[axis]);
  }
  const auto row_count = static_cast<std::size_t>(rows);
  return {.row = static_cast<std::int64_t>(element / inner % row_count),
          .element = element / inner / row_count * inner + element % inner};
}

std::size_t ElementsOf(const TensorSignature& signature, std::int64_t rows) {
  return signature.Bytes(rows) / DataTypeSize(signature.type);
}

// NaN and infinity in the tensors of a request, those that are not nullptr.
struct FoundNonfinite {
  NonfiniteCounts counts;
  std::string first;  // `"x": row 0, element 3 is nan`
};

template <typename Pointer>
FoundNonfinite FindNonfinite(std::span<const TensorSignature> signatures,
                             const std::vector<Pointer>& tensors,
                             std::int64_t rows) {
  FoundNonfinite found;
  std::optional<RowMarks> marks;  // Takes memory.
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const TensorSignature& signature = signatures[i];
    if (tensors[i] == nullptr ||
        AllFinite(signature.type, ElementsOf(signature, rows), tensors[i])) {
      continue;
    }
    if (!marks.has_value()) {
      marks.emplace(rows);
    }
    VisitNonfinite(
        signature.type, ElementsOf(signature, rows), tensors[i],
        [&](std::size_t element, double value) {
          const ElementPlace place = PlaceOf(signature, rows, element);
          marks->Mark(place.row);
          ++(std::isnan(value) ? found.counts.nans : found.counts.infinities);
          if (found.first.empty()) {
            found.first =
                fmt::format("\"{}\": row {}, element {} is {}", signature.name,
                            place.row, place.element, value);
          }
        });
  }
  found.counts.rows =
      marks.has_value() ? static_cast<std::uint64_t>(marks->count()) : 0;
  return found;
}

absl::Status RefuseNonfinite(std::string_view kind, const FoundNonfinite& found,
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
  const FoundNonfinite found =
      FindNonfinite(compiled_.inputs(), request.inputs, request.rows);
  if (found.counts.rows > 0) {
    metrics_.CountInputs(found.counts);
    findings.nonfinite_input_rows =
        static_cast<std::int64_t>(found.counts.rows);
    if (inputs_ == NonfinitePolicy::kReject) {
      return RefuseNonfinite("input", found, findings);
    }
  }
  return domain_.empty() ? absl::OkStatus()
                         : CheckDomain(request, copies, findings);
}

absl::Status ModelGuarantees::CheckDomain(
    InferenceRequest& request, std::vector<std::vector<std::byte>>& copies,
    GuaranteeFindings& findings) const {
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
  metrics_.CountOutside(static_cast<std::uint64_t>(findings.outside_rows),
                        domain_.labels(), values);
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
  const FoundNonfinite found =
      FindNonfinite(compiled_.outputs(), request.outputs, request.rows);
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
