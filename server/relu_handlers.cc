#include "server/relu_handlers.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/repeated_field.h"

#include "core/base/status_macros.h"
#include "core/base/status_prefix.h"
#include "core/relu/explainer.h"
#include "core/relu/leaf_rows.h"
#include "core/relu/piecewise_network.h"
#include "core/repository/explained_rows.h"
#include "core/repository/model.h"
#include "core/repository/model_guarantees.h"
#include "core/repository/model_repository.h"
#include "fmt/format.h"
#include "proto/relu.pb.h"
#include "server/guarantee_parameters.h"
#include "server/text.h"

namespace relu {
namespace {

using RowsField = google::protobuf::RepeatedPtrField<v1::InputRows>;

absl::StatusOr<InputRows> ReadRows(const PiecewiseNetwork& network,
                                   const RowsField& field,
                                   std::string_view what) {
  std::vector<NamedRows> named;
  for (const v1::InputRows& rows : field) {
    named.push_back({.name = rows.name(),
                     .shape = {rows.shape().data(),
                               static_cast<std::size_t>(rows.shape_size())},
                     .data = {rows.data().data(),
                              static_cast<std::size_t>(rows.data_size())}});
  }
  return ReadInputRows(network, named, what);
}

absl::StatusOr<Attribution> ToAttribution(v1::Attribution attribution) {
  switch (attribution) {
    case v1::ATTRIBUTION_UNSPECIFIED:
    case v1::ATTRIBUTION_GRADIENT:
      return Attribution::kGradient;
    case v1::ATTRIBUTION_INTEGRATED_GRADIENTS:
      return Attribution::kIntegratedGradients;
    case v1::ATTRIBUTION_EXACT_INTEGRATED_GRADIENTS:
      return Attribution::kExactIntegratedGradients;
    default:
      return absl::InvalidArgumentError(fmt::format(
          "attribution {}: expected 0 to 3", static_cast<int>(attribution)));
  }
}

std::string LinkName(Link link) {
  switch (link) {
    case Link::kSigmoid:
      return "Sigmoid";
    case Link::kSoftmax:
      return "Softmax";
    case Link::kLogSoftmax:
      return "LogSoftmax";
    case Link::kNone:
      break;
  }
  return "";
}

absl::Status CheckSize(const PiecewiseNetwork& network, std::int64_t rows,
                       const ExplainOptions& options) {
  const auto elements =
      static_cast<double>(std::max<std::size_t>(options.elements.size(), 1));
  const double contributions = static_cast<double>(rows) * elements *
                               static_cast<double>(network.input_elements);
  if (contributions > ReluHandlers::kMaxContributions) {
    return absl::ResourceExhaustedError(fmt::format(
        "the explanations of {} rows hold {:.0f} contributions, the most for "
        "one call are {:.0f}; send fewer rows or elements",
        rows, contributions, ReluHandlers::kMaxContributions));
  }
  return absl::OkStatus();
}

// The elements of the inputs whose contributions are returned.
std::vector<std::size_t> Chosen(const std::vector<double>& contributions,
                                std::size_t top_k) {
  std::vector<std::size_t> chosen(contributions.size());
  std::iota(chosen.begin(), chosen.end(), std::size_t{0});
  if (top_k == 0) {
    return chosen;
  }
  const std::size_t count = std::min(top_k, chosen.size());
  std::ranges::partial_sort(
      chosen, chosen.begin() + static_cast<std::ptrdiff_t>(count),
      [&](std::size_t i, std::size_t j) {
        const double a = std::abs(contributions[i]);
        const double b = std::abs(contributions[j]);
        return a > b || (a == b && i < j);  // Of equal ones the first.
      });
  chosen.resize(count);
  return chosen;
}

// Fills messages from what was explained.
class Answering {
 public:
  Answering(const PiecewiseNetwork& network, const InputRows& inputs,
            const InputRows& baseline)
      : network_(network), inputs_(inputs), baseline_(baseline) {}

  void Fill(const Explanation& explanation, std::size_t top_k,
            v1::Explanation& message) const {
    message.set_row(explanation.row);
    message.set_element(explanation.element);
    message.set_value(explanation.value);
    message.set_answer(explanation.answer);
    message.set_baseline_value(explanation.baseline_value);
    message.set_intercept(explanation.intercept);
    message.set_remainder(explanation.remainder);
    message.set_kinks(explanation.kinks);
    message.set_pieces(explanation.pieces);
    for (const std::size_t i : Chosen(explanation.contributions, top_k)) {
      v1::Contribution& contribution = *message.add_contributions();
      const NetworkInput& input = InputOf(i);
      contribution.set_input(input.name);
      contribution.set_element(
          static_cast<std::int64_t>(i - input.first_element));
      contribution.set_value(Element(inputs_, explanation.row, i));
      contribution.set_baseline(Element(baseline_, explanation.row, i));
      contribution.set_gradient(explanation.gradient[i]);
      contribution.set_contribution(explanation.contributions[i]);
    }
  }

 private:
  const NetworkInput& InputOf(std::size_t element) const {
    return *std::ranges::find_if(network_.inputs, [&](const auto& input) {
      return element < input.first_element + input.elements;
    });
  }

  // 0 if there are no rows; the only one stands for all.
  double Element(const InputRows& rows, std::int64_t row,
                 std::size_t element) const {
    if (rows.rows == 0) {
      return 0.0;
    }
    const auto at = static_cast<std::size_t>(rows.rows == 1 ? 0 : row);
    return rows.elements[at * network_.input_elements + element];
  }

  const PiecewiseNetwork& network_;
  const InputRows& inputs_;
  const InputRows& baseline_;
};

absl::Status ExplainModel(Model& model, const v1::ExplainRequest& request,
                          v1::ExplainResponse& response) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const Explainer> explainer,
                   model.explainers().For(request.output()));
  const PiecewiseNetwork& network = explainer->network();
  ASSIGN_OR_RETURN(InputRows inputs,
                   ReadRows(network, request.inputs(), "input"));
  InputRows baseline;
  if (request.baseline_size() > 0) {
    ASSIGN_OR_RETURN(baseline,
                     ReadRows(network, request.baseline(), "baseline"));
  }
  ExplainOptions options;
  ASSIGN_OR_RETURN(options.attribution, ToAttribution(request.attribution()));
  options.elements.assign(request.elements().begin(), request.elements().end());
  options.max_multiply_adds = ReluHandlers::kMaxMultiplyAdds;
  RETURN_IF_ERROR(CheckSize(network, inputs.rows, options));
  GuaranteeFindings findings;
  RETURN_IF_ERROR(
      CheckExplainedRows(model.guarantees(), network, inputs, findings));
  ASSIGN_OR_RETURN(const std::vector<Explanation> explanations,
                   explainer->Explain(inputs, baseline, options));
  response.set_model_name(model.name());
  response.set_model_version(std::to_string(model.version()));
  response.set_output(network.output_name);
  response.set_explained(network.explained_name);
  response.set_link(LinkName(network.link));
  const Answering answering(network, inputs, baseline);
  for (const Explanation& explanation : explanations) {
    answering.Fill(explanation, request.top_k(), *response.add_explanations());
  }
  if (findings.any()) {
    SetGuaranteeFields(findings, *response.mutable_findings());
  }
  return absl::OkStatus();
}

}  // namespace

ReluHandlers::ReluHandlers(ModelRepository& repository)
    : repository_(repository) {}

absl::Status ReluHandlers::Explain(const v1::ExplainRequest& request,
                                   v1::ExplainResponse& response) const {
  const auto start = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(
      const std::shared_ptr<Model> model,
      repository_.Find(request.model_name(), request.model_version()));
  const absl::Status status = ExplainModel(*model, request, response);
  if (!status.ok()) {
    response.Clear();
    return WithPrefix(
        fmt::format("model \"{}\": ", Printable(request.model_name())),
        absl::Status(status.code(),
                     Printable(std::string(status.message()), 2000)));
  }
  model->metrics().CountExplanations(
      static_cast<std::size_t>(response.explanations_size()),
      std::chrono::steady_clock::now() - start);
  return absl::OkStatus();
}

}  // namespace relu
