#include "core/repository/model_explainers.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "core/graph/elements.h"
#include "core/graph/graph.h"
#include "core/graph/onnx_import.h"
#include "core/plan/compiled_model.h"
#include "core/plan/workspace.h"
#include "core/relu/explainer.h"
#include "core/relu/leaf_rows.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"
#include "fmt/format.h"

namespace relu {
namespace {

constexpr std::int64_t kRows = 4;

Shape WithRows(const Shape& row_shape) {
  Shape shape = row_shape;
  shape.insert(shape.begin(), kRows);
  return shape;
}

// Floats from -1 to 1; integers are 0, which every table has.
std::vector<Tensor> RandomRows(const CompiledModel& compiled) {
  std::mt19937 random(1);
  std::vector<Tensor> tensors;
  for (const TensorSignature& input : compiled.inputs()) {
    const Shape shape = WithRows(input.row_shape);
    std::vector<double> values(
        static_cast<std::size_t>(ElementCount(shape).value_or(0)));
    for (double& value : values) {
      value = IsFloatingPoint(input.type)
                  ? static_cast<double>(random() % 2001) / 1000 - 1
                  : 0.0;
    }
    tensors.push_back(FromDoubles(input.type, shape, values));
  }
  return tensors;
}

// What is served for these rows.
std::vector<double> Served(const CompiledModel& compiled, std::size_t output,
                           const std::vector<Tensor>& rows) {
  Workspace workspace(compiled, kRows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    workspace.CopyIn(i, 0, kRows, rows[i].bytes().data());
  }
  compiled.Run(kRows, workspace);
  const TensorSignature& signature = compiled.outputs()[output];
  Tensor answers(signature.type, WithRows(signature.row_shape));
  workspace.CopyOut(output, 0, kRows, answers.bytes().data());
  return ToDoubles(answers);
}

// The most that both may differ: those of layers have the same bits, other
// steps and half precision round differently.
double Tolerance(DataType type) {
  return type == DataType::kFp16 || type == DataType::kBf16 ? 2e-2 : 1e-4;
}

bool AreClose(const std::vector<double>& served,
              const std::vector<double>& explained, double tolerance) {
  double largest = 1.0;
  for (const double value : served) {
    largest = std::max(largest, std::abs(value));
  }
  return std::ranges::equal(served, explained, [&](double a, double b) {
    return std::abs(a - b) <= tolerance * largest;
  });
}

}  // namespace

ModelExplainers::ModelExplainers(const CompiledModel& compiled,
                                 std::filesystem::path file,
                                 std::size_t limit_bytes)
    : compiled_(compiled), file_(std::move(file)), limit_bytes_(limit_bytes) {}

absl::StatusOr<std::string> ModelExplainers::NameOf(
    std::string_view output) const {
  for (const TensorSignature& signature : compiled_.outputs()) {
    if (signature.name == output ||
        (output.empty() && IsFloatingPoint(signature.type))) {
      return signature.name;
    }
  }
  std::string names;
  for (const TensorSignature& signature : compiled_.outputs()) {
    names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", signature.name);
  }
  return absl::NotFoundError(
      fmt::format("no such output, model has {}", names));
}

ModelExplainers::Made ModelExplainers::Make(const std::string& output) const {
  const absl::StatusOr<Graph> graph = ImportOnnx(file_);
  if (!graph.ok()) {
    return absl::FailedPreconditionError(fmt::format(
        "an explanation reads the model's file once more: {}; load the model "
        "again",
        std::string(graph.status().message())));
  }
  ASSIGN_OR_RETURN(
      Explainer explainer,
      Explainer::Create(*graph, output, compiled_.options().weights));
  const auto signature =
      std::ranges::find(compiled_.outputs(), output, &TensorSignature::name);
  const auto index =
      static_cast<std::size_t>(signature - compiled_.outputs().begin());
  const std::vector<Tensor> rows = RandomRows(compiled_);
  const absl::StatusOr<InputRows> read =
      ReadInputRows(explainer.network(), rows, "input");
  bool same = read.ok();
  if (same) {
    ASSIGN_OR_RETURN(const std::vector<double> explained,
                     explainer.Answers(*read));
    same = AreClose(Served(compiled_, index, rows), explained,
                    Tolerance(signature->type));
  }
  if (!same) {
    return absl::FailedPreconditionError(fmt::format(
        "{}: the file is no longer the one that is served; load the model "
        "again",
        file_.string()));
  }
  return std::make_shared<const Explainer>(std::move(explainer));
}

absl::StatusOr<std::shared_ptr<const Explainer>> ModelExplainers::For(
    std::string_view output) {
  if (compiled_.couples_rows()) {
    return absl::UnimplementedError(
        "the rows of the model depend on each other; explained are models "
        "whose rows stand for themselves");
  }
  ASSIGN_OR_RETURN(const std::string name, NameOf(output));
  {
    const MutexLock lock(mu_);
    const auto found = made_.find(name);
    if (found != made_.end()) {
      return found->second;
    }
  }
  // Without the lock: it takes as long as a load. Two that come at the same
  // time both make one, and the first one stays.
  Made made = Make(name);
  if (!made.ok() && !absl::IsUnimplemented(made.status())) {
    return made;  // May be better next time.
  }
  const MutexLock lock(mu_);
  if (const auto first = made_.find(name); first != made_.end()) {
    return first->second;
  }
  if (made.ok() && BytesLocked() + (*made)->network().bytes() > limit_bytes_) {
    return absl::ResourceExhaustedError(fmt::format(
        "explanations take {} bytes of memory beside the model's, {} are left",
        (*made)->network().bytes(), limit_bytes_ - BytesLocked()));
  }
  return made_.emplace(name, std::move(made)).first->second;
}

std::size_t ModelExplainers::bytes() const {
  const MutexLock lock(mu_);
  return BytesLocked();
}

std::size_t ModelExplainers::BytesLocked() const {
  std::size_t total = 0;
  for (const auto& [output, made] : made_) {
    total += made.ok() ? (*made)->network().bytes() : 0;
  }
  return total;
}

}  // namespace relu
