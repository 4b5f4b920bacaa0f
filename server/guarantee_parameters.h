// What checks of a request and its answer have found, as parameters or fields
// of the answer.

#ifndef SERVER_GUARANTEE_PARAMETERS_H_
#define SERVER_GUARANTEE_PARAMETERS_H_

#include "core/repository/model_guarantees.h"

namespace inference {
class ModelInferResponse;
}  // namespace inference

namespace relu {

namespace v1 {
class ExplainFindings;
class RankFindings;
}  // namespace v1

// Sets, of these, the parameters of which there is something to say:
//
//   relu_nonfinite_input_rows    rows of the request with NaN or infinity
//   relu_nonfinite_output_rows   rows of the answer with NaN or infinity
//   relu_out_of_domain_rows      rows of the request outside of the domain
//   relu_out_of_domain_row_list  which: "0,3,7", the first 256
//   relu_out_of_domain_first     the first value that is, as text
//   relu_clamped                 true: what was answered is the nearest row
void AddGuaranteeParameters(const GuaranteeFindings& findings,
                            inference::ModelInferResponse& response);

// The same of a call whose rows are items.
void SetGuaranteeFields(const GuaranteeFindings& findings,
                        v1::RankFindings& message);

// The same of rows that are explained, as far as it can be.
void SetGuaranteeFields(const GuaranteeFindings& findings,
                        v1::ExplainFindings& message);

}  // namespace relu

#endif  // SERVER_GUARANTEE_PARAMETERS_H_
