#include "tests/benchmark/cases.h"

#include <fmt/format.h>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace relu::benchmarks {
namespace {

struct NamedShape {
  std::string name;
  std::vector<std::size_t> sizes;
};

std::vector<std::size_t> DeepSizes() {
  std::vector<std::size_t> sizes(18, 256);
  sizes.back() = 16;
  return sizes;
}

// From 17 KB of weights to 100 MB.
const std::vector<NamedShape>& Networks() {
  static const std::vector<NamedShape> networks = {
      {"A", {784, 512, 512, 10}},             // MNIST
      {"B", {13, 512, 256, 128}},             // DLRM, bottom
      {"C", {479, 1024, 1024, 512, 256, 1}},  // DLRM, top
      {"D", {1024, 4096, 4096, 1024}},        // Larger than the caches
      {"E", {32, 64, 32, 1}},                 // A small table
      {"F", DeepSizes()},                     // Deep and narrow
  };
  return networks;
}

const std::vector<NamedShape>& Layers() {
  static const std::vector<NamedShape> layers = {
      {"256x256", {256, 256}},
      {"512x512", {512, 512}},
      {"1024x1024", {1024, 1024}},
      {"4096x1024", {4096, 1024}},
  };
  return layers;
}

void AddDense(std::span<const std::size_t> batches, std::vector<Case>& cases) {
  for (const NamedShape& shape : Networks()) {
    cases.push_back({.table = "dense",
                     .network = shape.name,
                     .sizes = shape.sizes,
                     .batches = {batches.begin(), batches.end()}});
  }
}

void AddTrained(std::span<const std::size_t> batches,
                std::vector<Case>& cases) {
  // Half precision is left out: the engines round at different places, so
  // their answers do not agree to 1e-4.
  for (const char* const model : {"mnist_256x128", "digits_mlp", "credit_embed",
                                  "breast_cancer", "wine", "iris_argmax"}) {
    cases.push_back({.table = "trained",
                     .network = model,
                     .sizes = {},
                     .batches = {batches.begin(), batches.end()}});
  }
}

void AddZeros(bool quick, std::vector<Case>& cases) {
  const std::vector<double> shares =
      quick ? std::vector<double>{0.0, 0.5, 0.9}
            : std::vector<double>{0.0, 0.2, 0.5, 0.8, 0.9};
  for (const auto* const shapes : {&Networks(), &Layers()}) {
    for (const NamedShape& shape : *shapes) {
      for (const double share : shares) {
        cases.push_back({.table = "zeros",
                         .network = shape.name,
                         .sizes = shape.sizes,
                         .batches = {1, 16},
                         .input_zeros = share,
                         .hidden_zeros = share});
      }
    }
  }
}

}  // namespace

std::vector<Case> AllCases(int threads, bool quick) {
  const std::vector<std::size_t> batches =
      quick || threads > 1 ? std::vector<std::size_t>{1, 16, 256}
                           : std::vector<std::size_t>{1, 4, 16, 64, 256};
  std::vector<Case> cases;
  AddDense(batches, cases);
  if (threads > 1) {
    return cases;
  }
  AddTrained(batches, cases);
  for (const NamedShape& shape : Networks()) {
    cases.push_back({.table = "half",
                     .network = shape.name,
                     .sizes = shape.sizes,
                     .batches = {1},
                     .half_weights = true});
    cases.push_back({.table = "cold",
                     .network = shape.name,
                     .sizes = shape.sizes,
                     .batches = {1}});
  }
  AddZeros(quick, cases);
  return cases;
}

std::string NameOf(const Case& a_case, std::size_t batch) {
  if (a_case.table == "zeros") {
    return fmt::format("{}/{}@{}/{}", a_case.table, a_case.network,
                       a_case.input_zeros, batch);
  }
  return fmt::format("{}/{}/{}", a_case.table, a_case.network, batch);
}

absl::StatusOr<Network> MakeNetwork(const Case& a_case,
                                    const std::string& testdata) {
  if (a_case.sizes.empty()) {
    return LoadTrainedNetwork(std::filesystem::path(testdata) / "models" /
                              a_case.network);
  }
  return MakeRandomNetwork(a_case.network,
                           {.sizes = a_case.sizes,
                            .input_zeros = a_case.input_zeros,
                            .hidden_zeros = a_case.hidden_zeros,
                            .half_precision_weights = a_case.half_weights});
}

}  // namespace relu::benchmarks
