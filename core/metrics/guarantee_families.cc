#include "core/metrics/guarantee_families.h"

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "prometheus/client_metric.h"
#include "prometheus/metric_family.h"
#include "prometheus/metric_type.h"

#include "core/metrics/guarantee_metrics.h"
#include "core/metrics/model_families.h"

namespace relu {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

// One more metric of the family, with these labels beside those of the model.
void AddMetric(const LabelledFigures& model, double value,
               std::vector<ClientMetric::Label> labels, MetricFamily& family) {
  ClientMetric& metric = family.metric.emplace_back();
  metric.label = {{"model", model.model}, {"version", model.version}};
  for (ClientMetric::Label& label : labels) {
    metric.label.push_back(std::move(label));
  }
  (family.type == MetricType::Counter ? metric.counter.value
                                      : metric.gauge.value) = value;
}

}  // namespace

std::vector<MetricFamily> GuaranteeFamilies(
    std::span<const LabelledFigures> models) {
  MetricFamily values{"relu_nonfinite_values_total",
                      "Values of requests and answers that are NaN or "
                      "infinite.",
                      MetricType::Counter,
                      {}};
  MetricFamily rows{"relu_nonfinite_rows_total",
                    "Rows of requests and answers with such a value.",
                    MetricType::Counter,
                    {}};
  MetricFamily outside_rows{"relu_out_of_domain_rows_total",
                            "Rows of requests that are not in the domain of "
                            "the model.",
                            MetricType::Counter,
                            {}};
  MetricFamily outside_values{"relu_out_of_domain_values_total",
                              "Their values that are not, by the elements "
                              "that the domain names.",
                              MetricType::Counter,
                              {}};
  MetricFamily certified{"relu_overflow_certified",
                         "1 if it is proven that no input of the domain "
                         "overflows, 0 if it is not.",
                         MetricType::Gauge,
                         {}};
  MetricFamily largest{"relu_proven_largest_value",
                       "No value of the network is larger for an input of the "
                       "domain; 0 if nothing is proven.",
                       MetricType::Gauge,
                       {}};
  for (const LabelledFigures& model : models) {
    const GuaranteeFigures& figures = model.figures.guarantees;
    for (const auto& [tensor, counts] :
         {std::pair("input", &figures.inputs),
          std::pair("output", &figures.outputs)}) {
      AddMetric(model, static_cast<double>(counts->nans),
                {{"tensor", tensor}, {"kind", "nan"}}, values);
      AddMetric(model, static_cast<double>(counts->infinities),
                {{"tensor", tensor}, {"kind", "infinity"}}, values);
      AddMetric(model, static_cast<double>(counts->rows), {{"tensor", tensor}},
                rows);
    }
    if (!figures.outside_values.empty()) {
      AddMetric(model, static_cast<double>(figures.outside_rows), {},
                outside_rows);
    }
    for (const auto& [elements, count] : figures.outside_values) {
      AddMetric(model, static_cast<double>(count), {{"elements", elements}},
                outside_values);
    }
    if (figures.certified.has_value()) {
      AddMetric(model, *figures.certified ? 1.0 : 0.0, {}, certified);
      AddMetric(model, figures.largest_value, {}, largest);
    }
  }
  return {values, rows, outside_rows, outside_values, certified, largest};
}

}  // namespace relu
