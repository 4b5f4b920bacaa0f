#include "core/relu/overflow_certificate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <variant>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/elements.h"
#include "core/relu/dense_op.h"
#include "core/relu/leaf_box.h"
#include "core/relu/piecewise_lowering.h"
#include "core/relu/piecewise_network.h"
#include "core/relu/value_bounds.h"
#include "core/tensor/data_type.h"

namespace relu {
namespace {

constexpr double kLargestFloat = double{std::numeric_limits<float>::max()};

using BoxSource =
    absl::FunctionRef<absl::StatusOr<InputBox>(const PiecewiseNetwork&)>;

// What rounds to the largest number of the type, and no further, is below this.
double LimitOfOutput(DataType type, ValueStorage values) {
  if (values == ValueStorage::kFloat16) {
    return kFloat16Limit;
  }
  switch (type) {
    case DataType::kFp16:
      return kFloat16Limit;
    case DataType::kBf16:
      return 0x1.FFp127;
    default:
      return kLargestFloat;
  }
}

// Of LinearBounds(): each sum goes back, twice, through all layers before it.
double MultiplyAddsOfLinearBounds(const PiecewiseNetwork& network) {
  double before = 0.0;
  double total = 0.0;
  for (const Op& any : network.ops) {
    if (const auto* const dense = std::get_if<DenseOp>(&any)) {
      before += static_cast<double>(dense->forward.k) *
                static_cast<double>(dense->forward.n * dense->vectors);
      total += 2.0 * before * static_cast<double>(dense->output.size);
    } else if (const auto* const sum = std::get_if<SumOp>(&any)) {
      total += 2.0 * before * static_cast<double>(sum->output.size);
    }
  }
  return total;
}

// Why these bounds prove nothing; empty if they do.
std::string WhyNotBelow(const PiecewiseNetwork& network,
                        const ValueBounds& bounds, DataType type,
                        ValueStorage values) {
  if (!FitsFloat32(bounds)) {
    return fmt::format(
        "a value or sum may reach {:.3g}, float32 ends at {:.3g}",
        std::max(bounds.largest_value, bounds.largest_sum), kLargestFloat);
  }
  if (values == ValueStorage::kFloat16 && !FitsFloat16(bounds)) {
    return fmt::format("a value may reach {:.3g}, float16 ends at {:.3g}",
                       bounds.largest_value, kFloat16Limit);
  }
  double low = 0.0;
  double high = 0.0;
  for (std::size_t i = 0; i < network.output.size; ++i) {
    low = std::min(low, bounds.Lowest(network.output.offset + i));
    high = std::max(high, bounds.Highest(network.output.offset + i));
  }
  // A LogSoftmax subtracts the largest and the logarithm of a sum of at most
  // 2^63 that are 1 at most; a Sigmoid and a Softmax are from 0 to 1.
  const double largest = network.link == Link::kLogSoftmax ? high - low + 44.0
                         : network.link == Link::kNone ? std::max(high, -low)
                                                       : 1.0;
  const double limit = LimitOfOutput(type, values);
  return largest < limit
             ? ""
             : fmt::format("it may reach {:.3g}, {} ends at {:.3g}", largest,
                           values == ValueStorage::kFloat16
                               ? "float16"
                               : DataTypeName(type),
                           limit);
}

// Of the output `output`. Returns why it is not certified; empty if it is.
absl::StatusOr<std::string> CertifyOutput(const Graph& graph,
                                          const Value& output, BoxSource box_of,
                                          const CertificateOptions& options,
                                          double& largest_value) {
  ASSIGN_OR_RETURN(const PiecewiseNetwork network,
                   LowerToPiecewise(graph, output.name, options.weights));
  ASSIGN_OR_RETURN(const InputBox box, box_of(network));
  ValueBounds bounds = IntervalBounds(network, box, options.values);
  std::string why = WhyNotBelow(network, bounds, output.type, options.values);
  const double multiply_adds = MultiplyAddsOfLinearBounds(network);
  if (!why.empty() && multiply_adds > options.max_multiply_adds) {
    why += fmt::format(
        " by intervals; CROWN would take {:.2g} multiply-adds, the most are "
        "{:.2g}",
        multiply_adds, options.max_multiply_adds);
  } else if (!why.empty()) {
    bounds = LinearBounds(network, box, options.values);
    why = WhyNotBelow(network, bounds, output.type, options.values);
  }
  largest_value =
      std::max({largest_value, bounds.largest_value, bounds.largest_sum});
  return why;
}

OverflowCertificate CertifyOutputs(const Graph& graph, BoxSource box_of,
                                   const CertificateOptions& options) {
  OverflowCertificate certificate;
  const auto is_float = [&](ValueId id) {
    return IsFloatingPoint(graph.values[id].type);
  };
  if (std::ranges::none_of(graph.outputs, is_float)) {
    certificate.reason =
        "no output is of floats: what the integers are computed from is not "
        "looked at";
    return certificate;
  }
  for (const ValueId id : graph.outputs) {
    const Value& output = graph.values[id];
    if (!IsFloatingPoint(output.type)) {
      continue;
    }
    const absl::StatusOr<std::string> why = CertifyOutput(
        graph, output, box_of, options, certificate.largest_value);
    if (!why.ok() || !why->empty()) {
      certificate.reason =
          fmt::format("output \"{}\": {}", output.name,
                      why.ok() ? *why : std::string(why.status().message()));
      certificate.largest_value = why.ok() ? certificate.largest_value : 0.0;
      return certificate;
    }
  }
  certificate.certified = true;
  return certificate;
}

}  // namespace

OverflowCertificate CertifyNoOverflow(const Graph& graph,
                                      const InputDomain& domain,
                                      const CertificateOptions& options) {
  return CertifyOutputs(
      graph,
      [&](const PiecewiseNetwork& network) { return domain.BoxOf(network); },
      options);
}

OverflowCertificate CertifyNoOverflow(const Graph& graph, const InputBox& box,
                                      const CertificateOptions& options) {
  return CertifyOutputs(
      graph,
      [&](const PiecewiseNetwork& network) -> absl::StatusOr<InputBox> {
        RETURN_IF_ERROR(CheckBox(network, box));
        return box;
      },
      options);
}

std::string CertificateText(const OverflowCertificate& certificate) {
  return certificate.certified
             ? fmt::format(
                   "certified: no input of its domain overflows, no value is "
                   "larger than {:.4g}",
                   certificate.largest_value)
             : fmt::format(
                   "not certified: an input of its domain may overflow: {}",
                   certificate.reason);
}

}  // namespace relu
