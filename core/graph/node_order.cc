#include "core/graph/node_order.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/graph/onnx_attributes.h"
#include "fmt/format.h"
#include "proto/onnx.pb.h"

namespace relu {
namespace {

// For each node, the nodes whose outputs it reads.
std::vector<std::vector<int>> FindMakers(const onnx::GraphProto& graph) {
  std::map<std::string_view, int> makers;  // By name of the value.
  for (int i = 0; i < graph.node_size(); ++i) {
    for (const std::string& output : graph.node(i).output()) {
      if (!output.empty()) {
        makers.emplace(output, i);
      }
    }
  }
  std::vector<std::vector<int>> result;
  for (const onnx::NodeProto& node : graph.node()) {
    std::vector<int>& own = result.emplace_back();
    for (const std::string& input : node.input()) {
      if (const auto found = makers.find(input); found != makers.end()) {
        own.push_back(found->second);
      }
    }
  }
  return result;
}

// A node of a cycle: as many steps up from a node that waits for ever as there
// are nodes must end in one.
int FindInCycle(const std::vector<std::vector<int>>& makers,
                std::span<const std::size_t> waiting) {
  const auto waits = [&](int i) {
    return waiting[static_cast<std::size_t>(i)] > 0;
  };
  int node = 0;
  while (!waits(node)) {
    ++node;
  }
  for (std::size_t i = 0; i < makers.size(); ++i) {
    node = *std::ranges::find_if(makers[static_cast<std::size_t>(node)], waits);
  }
  return node;
}

}  // namespace

absl::StatusOr<std::vector<int>> NodeOrder(const onnx::GraphProto& graph) {
  const std::vector<std::vector<int>> makers = FindMakers(graph);
  std::vector<std::vector<int>> readers(makers.size());
  std::vector<std::size_t> waiting;  // For so many inputs, by node.
  std::vector<int> order;
  for (std::size_t i = 0; i < makers.size(); ++i) {
    waiting.push_back(makers[i].size());
    for (const int maker : makers[i]) {
      readers[static_cast<std::size_t>(maker)].push_back(static_cast<int>(i));
    }
    if (makers[i].empty()) {
      order.push_back(static_cast<int>(i));
    }
  }
  for (std::size_t next = 0; next < order.size(); ++next) {
    for (const int reader : readers[static_cast<std::size_t>(order[next])]) {
      if (--waiting[static_cast<std::size_t>(reader)] == 0) {
        order.push_back(reader);
      }
    }
  }
  if (order.size() < makers.size()) {
    return absl::InvalidArgumentError(fmt::format(
        "{} is part of a cycle: it reads what is made from its own output",
        NodeText(graph.node(FindInCycle(makers, waiting)))));
  }
  return order;
}

}  // namespace relu
