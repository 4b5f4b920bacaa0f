// What an explanation costs, in forward passes of the same model:
//
//   explain_benchmark deploy/models/*/1/model.onnx
//
// Each figure is the median of interleaved runs of one row. "pass" is the
// arithmetic of an explanation alone: forwards, backwards, intercept, kinks;
// "whole" is Explainer::Explain(), which reads tensors and makes the answer.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "core/graph/graph.h"
#include "core/graph/onnx_import.h"
#include "core/plan/compile_options.h"
#include "core/plan/compiled_model.h"
#include "core/plan/workspace.h"
#include "core/relu/explainer.h"
#include "core/relu/leaf_rows.h"
#include "core/relu/piecewise_network.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

// Half of the floats are zero, integers are 1.
std::vector<Tensor> RandomRow(const PiecewiseNetwork& network) {
  std::mt19937 random(7);
  std::vector<Tensor> row;
  for (const NetworkInput& input : network.inputs) {
    Shape shape = input.row_shape;
    shape.insert(shape.begin(), 1);
    Tensor& tensor = row.emplace_back(input.type, shape);
    if (input.type == DataType::kFp32) {
      for (float& value : tensor.As<float>()) {
        value = static_cast<float>(random() % 1000) / 500 - 1;
        value = std::max(value, 0.0F);
      }
    } else {
      std::ranges::fill(tensor.As<std::int64_t>(), 1);
    }
  }
  return row;
}

double Microseconds(const std::function<void()>& run) {
  constexpr int kRuns = 50;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kRuns; ++i) {
    run();
  }
  const std::chrono::duration<double, std::micro> took =
      std::chrono::steady_clock::now() - start;
  return took.count() / kRuns;
}

void Measure(const std::string& file) {
  const auto graph = ImportOnnx(file);
  const auto plan = CompiledModel::Compile(*graph);
  const auto dense =
      CompiledModel::Compile(*graph, {.zero_skip = ZeroSkip::kNever});
  const auto explainer = Explainer::Create(*graph, "");
  if (!explainer.ok()) {
    fmt::print("{}: {}\n", file, explainer.status().ToString());
    return;
  }
  const PiecewiseNetwork& network = explainer->network();
  const std::vector<Tensor> row = RandomRow(network);
  Workspace plan_workspace(*plan, 1);
  Workspace dense_workspace(*dense, 1);
  for (std::size_t i = 0; i < row.size(); ++i) {
    plan_workspace.CopyIn(i, 0, 1, row[i].bytes().data());
    dense_workspace.CopyIn(i, 0, 1, row[i].bytes().data());
  }
  const std::size_t floats = network.row_floats;
  std::vector<AlignedBuffer> memory;
  for (int i = 0; i < 3; ++i) {
    memory.emplace_back(floats * sizeof(float));
  }
  const std::array<float*, 3> rows = {memory[0].As<float>().data(),
                                      memory[1].As<float>().data(),
                                      memory[2].As<float>().data()};
  const auto input = ReadInputRows(network, row, "input");
  double sink = 0.0;
  const std::vector<std::function<void()>> runs = {
      [&] { dense->Run(1, dense_workspace); },
      [&] { plan->Run(1, plan_workspace); },
      [&] {
        static_cast<void>(FillLeaves(network, input->elements, rows[0]));
        RunForward(network, 1, rows[0]);
        std::fill_n(rows[1], floats, 0.0F);
        rows[1][network.output.offset] = 1.0F;
        RunBackward(network, 1, rows[0], rows[1], rows[2]);
        sink += Intercept(network, rows[0], rows[1]);
        sink += static_cast<double>(CountKinks(network, rows[0]));
      },
      [&] { sink += explainer->Explain(row, {}, {})->front().value; },
  };
  constexpr int kRounds = 101;
  std::vector<std::vector<double>> times(runs.size());
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < runs.size(); ++i) {
      times[i].push_back(Microseconds(runs[i]));
    }
  }
  for (std::vector<double>& all : times) {
    std::ranges::nth_element(all, all.begin() + kRounds / 2);
  }
  const auto median = [&](std::size_t i) { return times[i][kRounds / 2]; };
  fmt::print(
      "{}: forward {:.2f} us ({:.2f} us with zeros skipped), pass {:.2f} us "
      "({:.2f} forwards), whole {:.2f} us ({:.2f} forwards)\n",
      file, median(0), median(1), median(2), median(2) / median(0), median(3),
      median(3) / median(0));
  fmt::print(stderr, "{}\n", sink);
}

}  // namespace
}  // namespace relu

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    relu::Measure(argv[i]);
  }
}
