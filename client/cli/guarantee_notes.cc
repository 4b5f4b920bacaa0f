#include "client/cli/guarantee_notes.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "client/cli/display_text.h"
#include "fmt/format.h"

namespace relu {
namespace {

// What an answer says under `name`; a default if it says nothing of this type.
template <typename T>
T ParameterOr(const InferResult& answer, std::string_view name, T otherwise) {
  const std::optional<InferParameter> parameter = answer.Parameter(name);
  const T* const value =
      parameter.has_value() ? std::get_if<T>(&*parameter) : nullptr;
  return value == nullptr ? otherwise : *value;
}

}  // namespace

void GuaranteeNotes::Add(const InferResult& answer) {
  const auto rows = [&](std::string_view name) {
    return ParameterOr<std::int64_t>(answer, name, 0);
  };
  nonfinite_input_rows_ += rows("relu_nonfinite_input_rows");
  nonfinite_output_rows_ += rows("relu_nonfinite_output_rows");
  outside_rows_ += rows("relu_out_of_domain_rows");
  clamped_ = clamped_ || ParameterOr(answer, "relu_clamped", false);
  if (first_outside_.empty()) {
    first_outside_ =
        ParameterOr<std::string>(answer, "relu_out_of_domain_first", "");
  }
}

void GuaranteeNotes::Add(const RankFindings& findings) {
  nonfinite_input_rows_ += findings.nonfinite_items;
  nonfinite_shared_values_ += findings.nonfinite_shared_values;
  nonfinite_output_rows_ += findings.nonfinite_outputs;
  AddOutside(findings.out_of_domain_items, findings.clamped_items,
             findings.out_of_domain_first);
}

void GuaranteeNotes::Add(const ExplainFindings& findings) {
  AddOutside(findings.out_of_domain_rows, findings.clamped_rows,
             findings.out_of_domain_first);
}

void GuaranteeNotes::AddOutside(std::int64_t rows, std::int64_t clamped_rows,
                                const std::string& first) {
  outside_rows_ += rows;
  clamped_ = clamped_ || clamped_rows > 0;
  if (first_outside_.empty()) {
    first_outside_ = first;
  }
}

std::vector<std::string> GuaranteeNotes::Lines() const {
  std::vector<std::string> lines;
  if (nonfinite_input_rows_ > 0) {
    lines.push_back(fmt::format("{} rows that were sent have NaN or infinity",
                                nonfinite_input_rows_));
  }
  if (nonfinite_shared_values_ > 0) {
    lines.push_back(
        fmt::format("{} values that all rows share are NaN or infinite",
                    nonfinite_shared_values_));
  }
  if (nonfinite_output_rows_ > 0) {
    lines.push_back(fmt::format("{} rows of the answer have NaN or infinity",
                                nonfinite_output_rows_));
  }
  if (outside_rows_ > 0) {
    lines.push_back(fmt::format(
        "{} rows are outside of the model's domain{}; the first: {}",
        outside_rows_,
        clamped_ ? ", and the nearest rows of it are answered" : "",
        EscapeControl(first_outside_)));
  }
  return lines;
}

}  // namespace relu
