// What `reluctl inspect` says of a network of linear layers and piecewise
// linear activations: its weights, what it does on rows, what is proven for a
// box.

#ifndef CLIENT_CLI_NETWORK_REPORT_H_
#define CLIENT_CLI_NETWORK_REPORT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/graph/graph.h"
#include "core/plan/plan_report.h"
#include "core/relu/gradient_profile.h"
#include "core/relu/layer_profile.h"
#include "core/relu/leaf_box.h"
#include "core/relu/leaf_rows.h"
#include "core/relu/overflow_certificate.h"
#include "core/relu/piecewise_network.h"
#include "core/relu/skip_forecast.h"
#include "core/relu/value_bounds.h"

namespace relu {

// Of one layer and the activation after it, if there is one.
struct LayerReport {
  std::string node;  // The Gemm or MatMul.
  LayerProfile weights;
  // On rows; the first of the activation.
  std::optional<ActivationProfile> activity;
  GradientProfile gradients;
  SkipForecast forecast;
  // The largest size of a sum that is possible in the box.
  double interval_bound = 0.0;
  double linear_bound = 0.0;
  // Neurons whose activation is before its first kink, or beyond it, for all of
  // the box; of those that have one kink.
  std::int64_t proven_off = 0;
  std::int64_t proven_on = 0;
};

class NetworkReport {
 public:
  // Of the first output of floats. Errors: those of LowerToPiecewise().
  static absl::StatusOr<NetworkReport> Of(const Graph& graph);

  const PiecewiseNetwork& network() const { return network_; }

  // What the network does on these rows, and what skipping zeros saves the plan
  // of the same graph. INVALID_ARGUMENT if an index is outside of its table.
  absl::Status AddRows(const InputRows& rows, const PlanReport& plan);

  // What holds for all inputs of a box; `what` says which. The certificate is
  // of all outputs of floats. INVALID_ARGUMENT if it is no box.
  absl::Status AddBox(const InputBox& box, std::string what);

  // nullopt: there is no box.
  const std::optional<ValueBounds>& bounds() const { return bounds_; }

  std::string Text() const;
  std::string Json() const;  // One object.

 private:
  NetworkReport(const Graph& graph, PiecewiseNetwork network);

  LayerReport* ReportOf(std::size_t dense_op);
  void AddBounds(const ValueBounds& interval, const ValueBounds& linear);
  std::string LayersText() const;
  std::string RowsText() const;

  Graph graph_;  // Shares the constants.
  PiecewiseNetwork network_;
  std::vector<LayerReport> layers_;
  std::int64_t rows_ = 0;
  std::string box_;  // Empty: none.
  std::optional<ValueBounds> bounds_;
  OverflowCertificate certificate_;
  OverflowCertificate float16_certificate_;  // Of values that are stored so.
};

}  // namespace relu

#endif  // CLIENT_CLI_NETWORK_REPORT_H_
