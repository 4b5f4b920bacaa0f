#include "core/plan/self_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/elements.h"
#include "core/graph/graph.h"
#include "core/graph/interpreter.h"
#include "core/plan/compile_options.h"
#include "core/plan/compiled_model.h"
#include "core/plan/workspace.h"
#include "core/tensor/data_type.h"
#include "core/tensor/float16.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

constexpr std::uint32_t kSeed = 20240607;
constexpr std::int64_t kCheckedRows = 3;
// Above this only one row: the interpreter takes 15 ms for 10 MB of weights.
constexpr std::size_t kManyWeightBytes = std::size_t{4} << 20;
// The error of a chain of multiply-adds is that of slightly other weights. This
// is more than the chains of usual layers make it, and far less than what a
// wrong plan does.
constexpr double kPerturbation = 0x1p-20;
// The rounding of weights to float16.
constexpr double kHalfPerturbation = 0x1p-11;
constexpr int kPerturbedRuns = 8;
// How many times as far as the perturbed runs the plan may be: the rounding of
// all layers together.
constexpr double kPerturbedFactor = 16;

double ElementAt(const Tensor& tensor, std::size_t i) {
  switch (tensor.type()) {
    case DataType::kFp64:
      return tensor.As<double>()[i];
    case DataType::kFp32:
      return tensor.As<float>()[i];
    case DataType::kFp16:
      return Fp16ToFloat(tensor.As<std::uint16_t>()[i]);
    case DataType::kBf16:
      return Bf16ToFloat(tensor.As<std::uint16_t>()[i]);
    case DataType::kInt64:
      return static_cast<double>(tensor.As<std::int64_t>()[i]);
    case DataType::kUint64:
      return static_cast<double>(tensor.As<std::uint64_t>()[i]);
    case DataType::kInt32:
      return tensor.As<std::int32_t>()[i];
    case DataType::kUint32:
      return tensor.As<std::uint32_t>()[i];
    case DataType::kInt16:
      return tensor.As<std::int16_t>()[i];
    case DataType::kUint16:
      return tensor.As<std::uint16_t>()[i];
    case DataType::kInt8:
      return tensor.As<std::int8_t>()[i];
    case DataType::kUint8:
    case DataType::kBool:
      return tensor.As<std::uint8_t>()[i];
  }
  return 0;
}

// Sets an element to a small value that its type holds exactly, or nearly.
void SetElement(Tensor& tensor, std::size_t i, double value) {
  switch (tensor.type()) {
    case DataType::kFp64:
      tensor.As<double>()[i] = value;
      return;
    case DataType::kFp32:
      tensor.As<float>()[i] = static_cast<float>(value);
      return;
    case DataType::kFp16:
      tensor.As<std::uint16_t>()[i] = FloatToFp16(static_cast<float>(value));
      return;
    case DataType::kBf16:
      tensor.As<std::uint16_t>()[i] = FloatToBf16(static_cast<float>(value));
      return;
    default:
      break;
  }
  // Little endian: a small integer is its lowest byte, the others stay zero.
  tensor.bytes()[i * DataTypeSize(tensor.type())] =
      static_cast<std::byte>(value);
}

// The same on every standard library, unlike std::uniform_real_distribution.
double UniformBelowOne(std::mt19937& random) {
  return static_cast<std::uint32_t>(random()) / 4294967296.0;
}

Shape ShapeWithRows(const TensorSignature& signature, std::int64_t rows) {
  Shape shape = signature.shape;
  if (signature.row_axis) {
    shape[*signature.row_axis] = rows;
  }
  return shape;
}

// Floats of -1 .. 1, and integers that are 1 and 2 or all 0.
std::vector<Tensor> DrawInputs(const CompiledModel& model, std::int64_t rows,
                               bool zero_integers) {
  std::mt19937 random(kSeed);
  std::vector<Tensor> inputs;
  for (const TensorSignature& signature : model.inputs()) {
    Tensor& input =
        inputs.emplace_back(signature.type, ShapeWithRows(signature, rows));
    for (std::size_t i = 0; i < static_cast<std::size_t>(input.element_count());
         ++i) {
      const double uniform = UniformBelowOne(random);
      if (IsFloatingPoint(signature.type)) {
        SetElement(input, i, 2 * uniform - 1);
      } else if (!zero_integers) {
        const bool is_boolean = signature.type == DataType::kBool;
        SetElement(input, i, (uniform < 0.5 ? 1 : 2) - (is_boolean ? 1 : 0));
      }
    }
  }
  return inputs;
}

// Each element a little larger or smaller, at random; integers unchanged.
Tensor Perturbed(const Tensor& tensor, double perturbation,
                 std::mt19937& random) {
  Tensor copy = tensor.Clone();
  if (!IsFloatingPoint(tensor.type())) {
    return copy;
  }
  const auto count = static_cast<std::size_t>(copy.element_count());
  for (std::size_t i = 0; i < count; ++i) {
    const double sign = UniformBelowOne(random) < 0.5 ? -1 : 1;
    SetElement(copy, i, ElementAt(copy, i) * (1 + sign * perturbation));
  }
  return copy;
}

// The same network with other constants.
Graph Perturbed(const Graph& graph, double perturbation, std::mt19937& random) {
  Graph copy;
  copy.values = graph.values;
  copy.nodes = graph.nodes;
  copy.inputs = graph.inputs;
  copy.outputs = graph.outputs;
  for (Value& value : copy.values) {
    if (value.constant != nullptr) {
      copy.constants.push_back(std::make_unique<const Tensor>(
          Perturbed(*value.constant, perturbation, random)));
      value.constant = copy.constants.back().get();
    }
  }
  return copy;
}

// The plan's answers. INTERNAL if a row has none.
absl::StatusOr<std::vector<Tensor>> RunPlan(const CompiledModel& model,
                                            std::span<const Tensor> inputs,
                                            std::int64_t rows) {
  Workspace workspace(model, rows);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    workspace.CopyIn(i, /*first_row=*/0, rows, inputs[i].bytes().data());
  }
  model.Run(rows, workspace);
  if (const auto fault = workspace.Fault(/*first_row=*/0, rows)) {
    return absl::InternalError(fmt::format(
        "self-check: the plan has no answer where the graph has one: row {}: "
        "{}",
        fault->row, fault->reason));
  }
  std::vector<Tensor> outputs;
  for (std::size_t i = 0; i < model.outputs().size(); ++i) {
    const TensorSignature& signature = model.outputs()[i];
    Tensor& output =
        outputs.emplace_back(signature.type, ShapeWithRows(signature, rows));
    workspace.CopyOut(i, /*first_row=*/0, rows, output.bytes().data());
  }
  return outputs;
}

bool HasHalfWeights(const CompiledModel& model) {
  return model.options().weights == WeightStorage::kFloat16;
}

// How far floats may differ, as a part of the output's scale.
double RelativeTolerance(const Graph& graph, const CompiledModel& model) {
  double tolerance = HasHalfWeights(model) ? 2e-2 : 1e-5;
  for (const Value& value : graph.values) {
    if (value.type == DataType::kBf16) {
      tolerance = std::max(tolerance, 2e-1);
    } else if (value.type == DataType::kFp16) {
      tolerance = std::max(tolerance, 2e-2);
    }
  }
  return tolerance;
}

// NaN meets NaN and infinity the same infinity; other values meet values.
double Distance(double a, double b) {
  if (a == b || (std::isnan(a) && std::isnan(b))) {
    return 0;
  }
  const double distance = std::abs(a - b);
  return std::isnan(distance) ? std::numeric_limits<double>::infinity()
                              : distance;
}

double Scale(const Tensor& tensor) {
  double scale = 1;
  for (std::size_t i = 0; i < static_cast<std::size_t>(tensor.element_count());
       ++i) {
    const double magnitude = std::abs(ElementAt(tensor, i));
    scale = std::isfinite(magnitude) ? std::max(scale, magnitude) : scale;
  }
  return scale;
}

struct Mismatch {
  std::size_t output = 0;
  std::size_t element = 0;
};

std::vector<Mismatch> Compare(std::span<const Tensor> wanted,
                              std::span<const Tensor> found,
                              double relative_tolerance) {
  std::vector<Mismatch> mismatches;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const double tolerance = IsFloatingPoint(wanted[i].type())
                                 ? relative_tolerance * Scale(wanted[i])
                                 : 0;
    const auto count = static_cast<std::size_t>(wanted[i].element_count());
    for (std::size_t j = 0; j < count; ++j) {
      if (Distance(ElementAt(wanted[i], j), ElementAt(found[i], j)) >
          tolerance) {
        mismatches.push_back({.output = i, .element = j});
      }
    }
  }
  return mismatches;
}

// Takes off the list what the interpreter itself does not know better: what
// moves as far when inputs and constants change in their last bits.
absl::Status RemoveUnstable(const Graph& graph, double perturbation,
                            std::span<const Tensor> inputs,
                            std::span<const Tensor> wanted,
                            std::span<const Tensor> found,
                            std::vector<Mismatch>& mismatches) {
  std::mt19937 random(kSeed);
  for (int run = 0; run < kPerturbedRuns && !mismatches.empty(); ++run) {
    std::vector<Tensor> perturbed;
    for (const Tensor& input : inputs) {
      perturbed.push_back(Perturbed(input, kPerturbation, random));
    }
    ASSIGN_OR_RETURN(
        const std::vector<Tensor> moved,
        Interpret(Perturbed(graph, perturbation, random), perturbed));
    std::erase_if(mismatches, [&](const Mismatch& mismatch) {
      const auto [output, element] = mismatch;
      const double exact = ElementAt(wanted[output], element);
      const double movement =
          Distance(exact, ElementAt(moved[output], element));
      return Distance(exact, ElementAt(found[output], element)) <=
             kPerturbedFactor * movement;
    });
  }
  return absl::OkStatus();
}

struct Answers {
  std::vector<Tensor> inputs;
  std::vector<Tensor> wanted;
};

// INVALID_ARGUMENT if the graph has no answer for such inputs.
absl::StatusOr<Answers> DrawAnswers(const Graph& graph,
                                    const CompiledModel& model,
                                    std::int64_t rows) {
  Answers answers;
  answers.inputs = DrawInputs(model, rows, /*zero_integers=*/false);
  absl::StatusOr<std::vector<Tensor>> wanted = Interpret(graph, answers.inputs);
  if (absl::IsInvalidArgument(wanted.status())) {
    answers.inputs = DrawInputs(model, rows, /*zero_integers=*/true);
    wanted = Interpret(graph, answers.inputs);
  }
  RETURN_IF_ERROR(wanted.status());
  answers.wanted = *std::move(wanted);
  return answers;
}

}  // namespace

absl::Status SelfCheck(const Graph& graph, const CompiledModel& model) {
  const bool one_row =
      !model.has_batch_dim() || model.weight_bytes() > kManyWeightBytes;
  const std::int64_t rows = one_row ? 1 : kCheckedRows;
  const absl::StatusOr<Answers> answers = DrawAnswers(graph, model, rows);
  if (absl::IsInvalidArgument(answers.status())) {
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(answers.status());
  const auto& [inputs, wanted] = *answers;
  ASSIGN_OR_RETURN(const std::vector<Tensor> found,
                   RunPlan(model, inputs, rows));
  std::vector<Mismatch> mismatches =
      Compare(wanted, found, RelativeTolerance(graph, model));
  RETURN_IF_ERROR(RemoveUnstable(
      graph, HasHalfWeights(model) ? kHalfPerturbation : kPerturbation, inputs,
      wanted, found, mismatches));
  if (mismatches.empty()) {
    return absl::OkStatus();
  }
  const auto [output, element] = mismatches.front();
  return absl::InternalError(fmt::format(
      "self-check: output \"{}\", element {} of {} rows: the plan computes {}, "
      "the graph says {}",
      model.outputs()[output].name, element, rows,
      ElementAt(found[output], element), ElementAt(wanted[output], element)));
}

}  // namespace relu
