// Runs the test cases of make_cases.py through the product: ImportOnnx,
// Compile, Run. Prints what passed and what was refused, by operator. Fails if
// an answer is wrong, or a case is refused of which all operators are ours.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/elements.h"
#include "core/graph/external_data.h"
#include "core/graph/graph.h"
#include "core/graph/onnx_import.h"
#include "core/graph/onnx_tensor.h"
#include "core/graph/operators.h"
#include "core/plan/compiled_model.h"
#include "core/plan/self_check.h"
#include "core/plan/workspace.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"
#include "proto/onnx.pb.h"

namespace relu {
namespace {

struct Case {
  std::string name;
  std::vector<std::string> operators;
  std::string types;
};

// What is refused although its operators are ours, and why.
struct Exception {
  std::string_view part;  // Of the name of the case.
  std::string_view reason;
};
constexpr Exception kExceptions[] = {
    {"train", "training mode"},
    {"castlike_BFLOAT16", "an input is not of the shape it is declared with"},
    {"castlike_FLOAT_to_BFLOAT16",
     "an input is not of the shape it is declared with"},
};

std::vector<std::string> SplitText(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) {
    parts.push_back(part);
  }
  return parts;
}

std::vector<Case> ReadCases(const std::filesystem::path& folder) {
  std::vector<Case> cases;
  std::ifstream file(folder / "cases.txt");
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> fields = SplitText(line, '\t');
    cases.push_back({.name = fields[0],
                     .operators = SplitText(fields[1], ','),
                     .types = fields[2]});
  }
  return cases;
}

// <kind>_0.pb, <kind>_1.pb, ...
absl::StatusOr<std::vector<Tensor>> ReadTensors(
    const std::filesystem::path& folder, std::string_view kind) {
  std::vector<Tensor> tensors;
  TensorSource source{.external = ExternalData(folder)};
  for (int i = 0;; ++i) {
    std::ifstream file(folder / fmt::format("{}_{}.pb", kind, i),
                       std::ios::binary);
    if (!file) {
      return tensors;
    }
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    onnx::TensorProto proto;
    if (!proto.ParseFromString(bytes)) {
      return absl::InternalError("a tensor cannot be read");
    }
    ASSIGN_OR_RETURN(Tensor tensor, TensorFromOnnx(proto, source));
    tensors.push_back(std::move(tensor));
  }
}

absl::StatusOr<std::vector<Tensor>> Run(const CompiledModel& model,
                                        const std::vector<Tensor>& inputs) {
  if (inputs.size() != model.inputs().size()) {
    return absl::InternalError("wrong number of inputs");
  }
  std::int64_t rows = 1;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const TensorSignature& signature = model.inputs()[i];
    if (signature.row_axis) {
      rows = inputs[i].shape()[*signature.row_axis];
    }
    if (inputs[i].bytes().size() != signature.Bytes(rows) ||
        inputs[i].type() != signature.type) {
      return absl::InvalidArgumentError("input of another type or shape");
    }
  }
  Workspace workspace(model, rows);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    workspace.CopyIn(i, 0, rows, inputs[i].bytes().data());
  }
  model.Run(rows, workspace);
  if (const auto fault = workspace.Fault(0, rows)) {
    return absl::InternalError(std::string(fault->reason));
  }
  std::vector<Tensor> outputs;
  for (std::size_t i = 0; i < model.outputs().size(); ++i) {
    const TensorSignature& signature = model.outputs()[i];
    Shape shape = signature.shape;
    std::ranges::replace(shape, kBatchDim, rows);
    Tensor& output = outputs.emplace_back(signature.type, shape);
    workspace.CopyOut(i, 0, rows, output.bytes().data());
  }
  return outputs;
}

// The relative tolerance of ONNX's own runner. Its version 1.12 makes bfloat16
// by cutting bits off, the operator rounds: one unit in the last place.
double ToleranceOf(DataType type) {
  return type == DataType::kBf16 ? 0x1p-7 : IsFloatingPoint(type) ? 1e-3 : 0;
}

bool IsClose(double found, double wanted, double tolerance) {
  if (found == wanted || (std::isnan(found) && std::isnan(wanted))) {
    return true;
  }
  return tolerance > 0 &&
         std::abs(found - wanted) <= 1e-7 + tolerance * std::abs(wanted);
}

absl::Status Compare(const std::vector<Tensor>& found,
                     const std::vector<Tensor>& wanted) {
  if (found.size() != wanted.size()) {
    return absl::InternalError("wrong number of outputs");
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i].type() != wanted[i].type() ||
        found[i].shape() != wanted[i].shape()) {
      return absl::InternalError(fmt::format(
          "output {} is {} {}, wanted {} {}", i, DataTypeName(found[i].type()),
          ShapeText(found[i].shape()), DataTypeName(wanted[i].type()),
          ShapeText(wanted[i].shape())));
    }
    const double tolerance = ToleranceOf(found[i].type());
    const std::vector<double> a = ToDoubles(found[i]);
    const std::vector<double> b = ToDoubles(wanted[i]);
    for (std::size_t j = 0; j < a.size(); ++j) {
      if (!IsClose(a[j], b[j], tolerance)) {
        return absl::InternalError(fmt::format(
            "output {}, element {} is {}, wanted {}", i, j, a[j], b[j]));
      }
    }
  }
  return absl::OkStatus();
}

// INTERNAL if an answer is wrong; other errors if the case is refused.
absl::Status RunCase(const std::filesystem::path& folder) {
  ASSIGN_OR_RETURN(const std::vector<Tensor> inputs,
                   ReadTensors(folder, "input"));
  ASSIGN_OR_RETURN(const std::vector<Tensor> wanted,
                   ReadTensors(folder, "output"));
  ASSIGN_OR_RETURN(const Graph graph, ImportOnnx(folder / "model.onnx"));
  ASSIGN_OR_RETURN(const CompiledModel model, CompiledModel::Compile(graph));
  RETURN_IF_ERROR(SelfCheck(graph, model));
  ASSIGN_OR_RETURN(const std::vector<Tensor> found, Run(model, inputs));
  return Compare(found, wanted);
}

bool IsOurs(const Case& one) {
  // Those that the import resolves have no definition.
  const std::set<std::string_view> resolved = {"Constant", "ConstantOfShape",
                                               "Dropout", "Identity"};
  return std::ranges::all_of(one.operators, [&](const std::string& name) {
    return resolved.contains(name) || FindOperator(name) != nullptr;
  });
}

bool HasOurTypes(const Case& one) {
  return one.types.find("STRING") == std::string::npos &&
         one.types.find("COMPLEX") == std::string::npos &&
         one.types != "not a tensor";
}

bool IsException(const Case& one) {
  return std::ranges::any_of(kExceptions, [&](const Exception& exception) {
    return one.name.find(exception.part) != std::string::npos;
  });
}

struct Count {
  int passed = 0;
  int excepted = 0;
  int failed = 0;
};

int RunAll(const std::filesystem::path& folder) {
  std::map<std::string, Count> counts;
  Count total;
  int others = 0;
  for (const Case& one : ReadCases(folder)) {
    const bool ours = IsOurs(one);
    if (!HasOurTypes(one)) {
      ++others;
      continue;
    }
    const absl::Status status = RunCase(folder / one.name);
    const bool refused = !status.ok() && !absl::IsInternal(status);
    if (refused && !ours) {
      ++others;
      continue;
    }
    // A case of several operators is one of the expanded functions.
    const std::string key =
        one.operators.size() == 1 ? one.operators[0] : "(several)";
    const bool excepted = refused && IsException(one);
    for (Count* count : {&counts[key], &total}) {
      ++(status.ok() ? count->passed
         : excepted  ? count->excepted
                     : count->failed);
    }
    if (!status.ok() && !excepted) {
      std::cout << one.name << ": " << status << "\n";
    }
  }
  std::cout << fmt::format("{:<24}{:>8}{:>10}{:>8}\n", "operator", "passed",
                           "excepted", "failed");
  counts["total"] = total;
  for (const auto& [name, count] : counts) {
    std::cout << fmt::format("{:<24}{:>8}{:>10}{:>8}\n", name, count.passed,
                             count.excepted, count.failed);
  }
  std::cout << others << " cases of other operators or types\n";
  return total.failed == 0 && total.passed > 400 ? 0 : 1;
}

}  // namespace
}  // namespace relu

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: conformance_runner FOLDER\n";
    return 2;
  }
  return relu::RunAll(argv[1]);
}
