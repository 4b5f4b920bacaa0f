#include "server/guarantee_parameters.h"

#include <cstdint>

#include "fmt/format.h"
#include "proto/inference.pb.h"

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

}  // namespace relu
