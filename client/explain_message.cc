#include "client/explain_message.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/repeated_field.h"

#include "client/explain.h"
#include "fmt/format.h"
#include "proto/relu.pb.h"

namespace relu {
namespace {

void FillRows(const std::vector<ExplainRows>& tensors,
              google::protobuf::RepeatedPtrField<v1::InputRows>& field) {
  for (const ExplainRows& tensor : tensors) {
    v1::InputRows& rows = *field.Add();
    rows.set_name(tensor.name);
    rows.mutable_shape()->Add(tensor.shape.begin(), tensor.shape.end());
    rows.mutable_data()->Add(tensor.data.begin(), tensor.data.end());
  }
}

v1::Attribution ToMessage(ExplainMethod method) {
  switch (method) {
    case ExplainMethod::kIntegratedGradients:
      return v1::ATTRIBUTION_INTEGRATED_GRADIENTS;
    case ExplainMethod::kExactIntegratedGradients:
      return v1::ATTRIBUTION_EXACT_INTEGRATED_GRADIENTS;
    case ExplainMethod::kGradient:
      break;
  }
  return v1::ATTRIBUTION_GRADIENT;
}

InputContribution FromContribution(const v1::Contribution& message) {
  return {.input = message.input(),
          .element = message.element(),
          .value = message.value(),
          .baseline = message.baseline(),
          .gradient = message.gradient(),
          .contribution = message.contribution()};
}

ExplainedElement FromExplanation(const v1::Explanation& message) {
  ExplainedElement explained{.row = message.row(),
                             .element = message.element(),
                             .value = message.value(),
                             .answer = message.answer(),
                             .baseline_value = message.baseline_value(),
                             .intercept = message.intercept(),
                             .remainder = message.remainder(),
                             .kinks = message.kinks(),
                             .pieces = message.pieces(),
                             .contributions = {}};
  for (const v1::Contribution& contribution : message.contributions()) {
    explained.contributions.push_back(FromContribution(contribution));
  }
  return explained;
}

ExplainFindings FromFindings(const v1::ExplainFindings& message) {
  return {.out_of_domain_rows = message.out_of_domain_rows(),
          .out_of_domain_list = {message.out_of_domain_list().begin(),
                                 message.out_of_domain_list().end()},
          .out_of_domain_first = message.out_of_domain_first(),
          .clamped_rows = message.clamped_rows()};
}

}  // namespace

std::string EncodeExplainRequest(const ExplainRequest& request) {
  v1::ExplainRequest message;
  message.set_model_name(request.model);
  message.set_model_version(request.version);
  FillRows(request.inputs, *message.mutable_inputs());
  FillRows(request.baseline, *message.mutable_baseline());
  message.set_output(request.output);
  message.mutable_elements()->Add(request.elements.begin(),
                                  request.elements.end());
  message.set_attribution(ToMessage(request.method));
  message.set_top_k(request.top_k);
  return message.SerializeAsString();
}

absl::StatusOr<ExplainResult> DecodeExplainResponse(const std::string& bytes) {
  v1::ExplainResponse message;
  if (!message.ParseFromString(bytes)) {
    return absl::InternalError(fmt::format(
        "the answer of {} bytes is no ExplainResponse", bytes.size()));
  }
  ExplainResult result{.model_name = message.model_name(),
                       .model_version = message.model_version(),
                       .output = message.output(),
                       .explained = message.explained(),
                       .link = message.link(),
                       .explanations = {},
                       .findings = FromFindings(message.findings())};
  for (const v1::Explanation& explanation : message.explanations()) {
    result.explanations.push_back(FromExplanation(explanation));
  }
  return result;
}

}  // namespace relu
