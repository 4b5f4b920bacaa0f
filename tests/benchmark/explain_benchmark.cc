// What an explanation costs, in forward passes of the same model as it is
// served, with zeros skipped, and in brackets in ones that skip none:
//
//   explain_benchmark deploy/models/*/1/model.onnx
//
// All are `gradient`, on one thread, medians of interleaved runs.
//
//   arithmetic   forwards, backwards, intercept and kinks of one row
//   explain      Explainer::Explain() of one row, which makes the answer
//   whole        that and reading the numbers of the request
//   16 rows      the whole for one row of 16, beside one of 16 served together
//   all outputs  the whole for one of all elements of the output of one row

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "core/base/aligned_buffer.h"
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

constexpr std::int64_t kBatch = 16;

// The inputs of a model as the server gets them, and as a request has them.
struct Rows {
  std::vector<Tensor> tensors;
  std::vector<std::vector<double>> numbers;
  std::vector<NamedRows> named;  // Of `numbers`.
};

// Half of the floats are zero, integers are 1.
Rows RandomRows(const PiecewiseNetwork& network, std::int64_t count) {
  std::mt19937 random(7);
  Rows rows;
  for (const NetworkInput& input : network.inputs) {
    Shape shape = input.row_shape;
    shape.insert(shape.begin(), count);
    Tensor& tensor = rows.tensors.emplace_back(input.type, shape);
    std::vector<double>& numbers = rows.numbers.emplace_back();
    if (input.type == DataType::kFp32) {
      for (float& value : tensor.As<float>()) {
        value = static_cast<float>(random() % 1000) / 500 - 1;
        value = std::max(value, 0.0F);
        numbers.push_back(value);
      }
    } else {
      std::ranges::fill(tensor.As<std::int64_t>(), 1);
      numbers.assign(static_cast<std::size_t>(tensor.element_count()), 1.0);
    }
  }
  for (std::size_t i = 0; i < network.inputs.size(); ++i) {
    rows.named.push_back({.name = network.inputs[i].name,
                          .shape = rows.tensors[i].shape(),
                          .data = rows.numbers[i]});
  }
  return rows;
}

// A model that is served, with its inputs in place.
class Served {
 public:
  Served(const CompiledModel& plan, const Rows& rows, std::int64_t count)
      : plan_(plan), count_(count), workspace_(plan, count) {
    for (std::size_t i = 0; i < rows.tensors.size(); ++i) {
      workspace_.CopyIn(i, 0, count, rows.tensors[i].bytes().data());
    }
  }

  void Run() { plan_.Run(count_, workspace_); }

 private:
  const CompiledModel& plan_;
  std::int64_t count_;
  Workspace workspace_;
};

// The arithmetic of one explanation, in memory that is there.
class Arithmetic {
 public:
  Arithmetic(const PiecewiseNetwork& network, const Rows& row)
      : network_(network),
        row_(ReadInputRows(network, row.named, "input").value()),
        values_(network.row_floats * sizeof(float)),
        adjoints_(network.row_floats * sizeof(float)),
        memory_(network, 1) {}

  double Run() {
    float* const values = values_.As<float>().data();
    float* const adjoints = adjoints_.As<float>().data();
    static_cast<void>(FillLeaves(network_, row_.elements, values));
    RunForward(network_, 1, values, memory_);
    std::fill_n(adjoints, network_.row_floats, 0.0F);
    adjoints[network_.output.offset] = 1.0F;
    RunBackward(network_, {}, values, adjoints, memory_);
    return Intercept(network_, values, adjoints) +
           static_cast<double>(CountKinks(network_, values));
  }

 private:
  const PiecewiseNetwork& network_;
  InputRows row_;
  AlignedBuffer values_;
  AlignedBuffer adjoints_;
  PassMemory memory_;
};

double Whole(const Explainer& explainer, const Rows& rows,
             const ExplainOptions& options) {
  const auto inputs = ReadInputRows(explainer.network(), rows.named, "input");
  return explainer.Explain(*inputs, {}, options)->front().value;
}

double Microseconds(const std::function<void()>& run, int times) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < times; ++i) {
    run();
  }
  const std::chrono::duration<double, std::micro> took =
      std::chrono::steady_clock::now() - start;
  return took.count() / times;
}

// The median of each, in microseconds. Runs each as often as takes some 100 us,
// so that the clock does not count, after once more, so that the caches hold
// what they can of its weights and not of others.
std::vector<double> Medians(const std::vector<std::function<void()>>& runs) {
  constexpr int kRounds = 401;
  std::vector<std::vector<double>> times(runs.size());
  std::vector<int> repeats;
  for (const std::function<void()>& run : runs) {
    repeats.push_back(1 + static_cast<int>(100 / Microseconds(run, 10)));
  }
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < runs.size(); ++i) {
      runs[i]();
      times[i].push_back(Microseconds(runs[i], repeats[i]));
    }
  }
  std::vector<double> medians;
  for (std::vector<double>& all : times) {
    std::ranges::nth_element(all, all.begin() + kRounds / 2);
    medians.push_back(all[kRounds / 2]);
  }
  return medians;
}

void Measure(const std::string& file) {
  const auto graph = ImportOnnx(file);
  const auto plan = CompiledModel::Compile(*graph);
  const auto dense_plan =
      CompiledModel::Compile(*graph, {.zero_skip = ZeroSkip::kNever});
  const auto explainer = Explainer::Create(*graph, "");
  if (!explainer.ok()) {
    fmt::print("{}: {}\n", file, explainer.status().ToString());
    return;
  }
  const PiecewiseNetwork& network = explainer->network();
  const Rows row = RandomRows(network, 1);
  const Rows batch = RandomRows(network, kBatch);
  const auto inputs = ReadInputRows(network, row.named, "input");
  ExplainOptions all_outputs;
  all_outputs.elements.resize(network.output.size);
  std::iota(all_outputs.elements.begin(), all_outputs.elements.end(), 0);
  Served one(*plan, row, 1);
  Served one_dense(*dense_plan, row, 1);
  Served several(*plan, batch, kBatch);
  Served several_dense(*dense_plan, batch, kBatch);
  Arithmetic arithmetic(network, row);
  double sink = 0.0;
  const std::vector<double> took = Medians(
      {[&] { one.Run(); }, [&] { sink += arithmetic.Run(); },
       [&] { sink += explainer->Explain(*inputs, {}, {})->front().value; },
       [&] { sink += Whole(*explainer, row, {}); }, [&] { several.Run(); },
       [&] { sink += Whole(*explainer, batch, {}); },
       [&] { sink += Whole(*explainer, row, all_outputs); },
       [&] { one_dense.Run(); }, [&] { several_dense.Run(); }});
  fmt::print("{}: forward {:.3f} us ({:.3f})\n", file, took[0], took[7]);
  const auto show = [](const char* what, double us, double forward,
                       double dense) {
    fmt::print("  {:12} {:8.3f} us {:6.2f} forwards ({:.2f})\n", what, us,
               us / forward, us / dense);
  };
  show("arithmetic", took[1], took[0], took[7]);
  show("explain", took[2], took[0], took[7]);
  show("whole", took[3], took[0], took[7]);
  show("16 rows", took[5] / kBatch, took[4] / kBatch, took[8] / kBatch);
  show("all outputs", took[6] / static_cast<double>(network.output.size),
       took[0], took[7]);
  fmt::print(stderr, "{}\n", sink);
}

}  // namespace
}  // namespace relu

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    relu::Measure(argv[i]);
  }
}
