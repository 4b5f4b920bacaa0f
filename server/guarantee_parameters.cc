#include "server/guarantee_parameters.h"

#include <cstdint>

#include "fmt/format.h"
#include "proto/inference.pb.h"
#include "proto/relu.pb.h"

namespace relu {
namespace {

void SetRows(const char* name, std::int64_t rows,
             inference::ModelInferResponse& response) {
  if (rows > 0) {
    (*response.mutable_parameters())[name].set_int64_param(rows);
  }
}

}  // namespace

void AddGuaranteeParameters(const GuaranteeFindings& findings,
                            inference::ModelInferResponse& response) {
  SetRows("relu_nonfinite_input_rows", findings.nonfinite_input_rows, response);
  SetRows("relu_nonfinite_output_rows", findings.nonfinite_output_rows,
          response);
  SetRows("relu_out_of_domain_rows", findings.outside_rows, response);
  auto& parameters = *response.mutable_parameters();
  if (findings.outside_rows > 0) {
    parameters["relu_out_of_domain_row_list"].set_string_param(
        fmt::format("{}", fmt::join(findings.listed_rows, ",")));
    parameters["relu_out_of_domain_first"].set_string_param(
        findings.first_outside);
  }
  if (findings.clamped) {
    parameters["relu_clamped"].set_bool_param(true);
  }
}

void SetGuaranteeFields(const GuaranteeFindings& findings,
                        v1::RankFindings& message) {
  message.set_nonfinite_items(findings.nonfinite_input_rows);
  message.set_nonfinite_shared_values(findings.nonfinite_shared_values);
  message.set_nonfinite_outputs(findings.nonfinite_output_rows);
  message.set_out_of_domain_items(findings.outside_rows);
  for (const std::int64_t row : findings.listed_rows) {
    message.add_out_of_domain_list(static_cast<std::uint32_t>(row));
  }
  message.set_out_of_domain_first(findings.first_outside);
  message.set_clamped_items(findings.clamped ? findings.outside_rows : 0);
}

void SetGuaranteeFields(const GuaranteeFindings& findings,
                        v1::ExplainFindings& message) {
  message.set_out_of_domain_rows(findings.outside_rows);
  message.mutable_out_of_domain_list()->Add(findings.listed_rows.begin(),
                                            findings.listed_rows.end());
  message.set_out_of_domain_first(findings.first_outside);
  message.set_clamped_rows(findings.clamped ? findings.outside_rows : 0);
}

}  // namespace relu
