// Which value of a graph is explained for one of its outputs.

#ifndef CORE_RELU_EXPLAINED_VALUE_H_
#define CORE_RELU_EXPLAINED_VALUE_H_

#include <cstddef>
#include <string_view>

#include "absl/status/statusor.h"

#include "core/graph/graph.h"
#include "core/relu/piecewise_network.h"

namespace relu {

struct ExplainedValue {
  ValueId output = kNoValue;  // Of the graph.
  ValueId value = kNoValue;   // The output, or what its link is given.
  Link link = Link::kNone;
  std::size_t link_size = 1;  // Softmax: how many neighbours it goes over.
};

// `output` is the name of an output of floats; empty: the first that there is.
// NOT_FOUND, with the outputs that there are, if there is none.
absl::StatusOr<ExplainedValue> FindExplainedValue(const Graph& graph,
                                                  std::string_view output);

}  // namespace relu

#endif  // CORE_RELU_EXPLAINED_VALUE_H_
