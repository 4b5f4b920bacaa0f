// What the checks of requests and answers cost beside a forward pass of the
// same model:
//
//   guarantees_benchmark deploy/models/*/1/model.onnx
//
// Each figure is the median of interleaved runs. "finite" is what every model
// has; "domain" has an interval for every element too; of "one row outside" the
// first value of one row is outside and flagged.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "core/batching/inference_request.h"
#include "core/graph/onnx_import.h"
#include "core/metrics/guarantee_metrics.h"
#include "core/plan/compile_options.h"
#include "core/plan/compiled_model.h"
#include "core/plan/workspace.h"
#include "core/relu/domain_rule.h"
#include "core/relu/input_domain.h"
#include "core/relu/overflow_certificate.h"
#include "core/repository/guarantee_config.h"
#include "core/repository/model_guarantees.h"

namespace relu {
namespace {

using Buffers = std::vector<std::vector<std::byte>>;

// Every element is 0; NaN, infinity and integers beyond a table are elsewhere.
Buffers ZerosOf(std::span<const TensorSignature> signatures,
                std::int64_t rows) {
  Buffers buffers;
  for (const TensorSignature& signature : signatures) {
    buffers.emplace_back(signature.Bytes(rows));
  }
  return buffers;
}

void PointTo(Buffers& inputs, Buffers& outputs, std::int64_t rows,
             InferenceRequest& request) {
  request.rows = rows;
  request.inputs.clear();
  request.outputs.clear();
  for (const auto& input : inputs) {
    request.inputs.push_back(input.data());
  }
  for (auto& output : outputs) {
    request.outputs.push_back(output.data());
  }
}

// All elements are from `low` to 1.
InputDomain DomainOf(const CompiledModel& model, double low) {
  std::vector<InputRules> rules;
  for (const TensorSignature& input : model.inputs()) {
    rules.push_back({.input = input.name,
                     .rules = {{.first = 0,
                                .last = DomainRule::kLast,
                                .kind = DomainRule::Kind::kInterval,
                                .low = low,
                                .high = 1.0}}});
  }
  return InputDomain::Create(rules, model.inputs()).value();
}

double MicrosecondsOf(const std::function<void()>& run) {
  constexpr int kRuns = 200;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kRuns; ++i) {
    run();
  }
  const std::chrono::duration<double, std::micro> took =
      std::chrono::steady_clock::now() - start;
  return took.count() / kRuns;
}

std::vector<double> Medians(const std::vector<std::function<void()>>& runs) {
  constexpr int kRounds = 101;
  std::vector<std::vector<double>> times(runs.size());
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < runs.size(); ++i) {
      times[i].push_back(MicrosecondsOf(runs[i]));
    }
  }
  std::vector<double> medians;
  for (std::vector<double>& all : times) {
    std::ranges::nth_element(all, all.begin() + kRounds / 2);
    medians.push_back(all[kRounds / 2]);
  }
  return medians;
}

void MeasureRows(const CompiledModel& model, std::int64_t rows) {
  GuaranteeMetrics metrics;
  const GuaranteeConfig flags{.domain = {},
                              .domain_policy = DomainPolicy::kFlag};
  const ModelGuarantees finite(model, {}, {}, std::nullopt, metrics);
  const ModelGuarantees domain(model, flags, DomainOf(model, 0.0), std::nullopt,
                               metrics);
  Buffers inputs = ZerosOf(model.inputs(), rows);
  Buffers outside = inputs;
  // 2 as a float, and beyond 1 as an integer.
  outside[0][3] = std::byte{0x40};
  Buffers outputs = ZerosOf(model.outputs(), rows);
  Buffers copies(inputs.size());
  Workspace workspace(model, rows);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    workspace.CopyIn(i, 0, rows, inputs[i].data());
  }
  InferenceRequest request;
  const auto check = [&](const ModelGuarantees& guarantees, Buffers& values) {
    PointTo(values, outputs, rows, request);
    GuaranteeFindings findings;
    static_cast<void>(guarantees.CheckInputs(request, copies, findings));
    static_cast<void>(guarantees.CheckOutputs(request, findings));
  };
  const std::vector<double> took = Medians(
      {[&] { model.Run(rows, workspace); }, [&] { check(finite, inputs); },
       [&] { check(domain, inputs); }, [&] { check(domain, outside); }});
  fmt::print(
      "  {:>2} rows: forward {:.2f} us, finite {:.3f} us ({:.1f} %), domain "
      "{:.3f} us ({:.1f} %), one row outside {:.2f} us\n",
      rows, took[0], took[1], 100 * took[1] / took[0], took[2],
      100 * took[2] / took[0], took[3]);
}

void Measure(const std::filesystem::path& file) {
  const auto graph = ImportOnnx(file);
  const auto model =
      CompiledModel::Compile(*graph, {.zero_skip = ZeroSkip::kNever});
  fmt::print("{}\n", file.string());
  for (const std::int64_t rows : {1, 64}) {
    MeasureRows(*model, rows);
  }
  const InputDomain domain = DomainOf(*model, 0.0);
  const auto start = std::chrono::steady_clock::now();
  const OverflowCertificate certificate = CertifyNoOverflow(*graph, domain);
  const std::chrono::duration<double, std::milli> took =
      std::chrono::steady_clock::now() - start;
  fmt::print("  certificate {:.1f} ms: {}\n", took.count(),
             CertificateText(certificate));
}

}  // namespace
}  // namespace relu

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    relu::Measure(argv[i]);
  }
}
