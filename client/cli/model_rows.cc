#include "client/cli/model_rows.h"

#include <algorithm>
#include <sstream>
#include <string>
#include <utility>

#include "absl/status/statusor.h"

#include "client/cli/row_source.h"
#include "client/cli/rows.h"
#include "client/inference_client.h"
#include "core/base/status_macros.h"
#include "core/graph/graph.h"
#include "core/tensor/data_type.h"

namespace relu {
namespace {

// What a server would tell of the model.
ModelMetadata MetadataOf(const Graph& graph) {
  ModelMetadata metadata;
  for (const ValueId id : graph.inputs) {
    const Value& value = graph.values[id];
    metadata.inputs.push_back(
        {.name = value.name,
         .datatype = std::string(DataTypeName(value.type)),
         .shape = value.shape});
  }
  return metadata;
}

}  // namespace

absl::StatusOr<ModelRows> ReadModelRows(const RowOptions& options,
                                        const Graph& graph) {
  ASSIGN_OR_RETURN(const ModelInputs inputs, InputsOf(MetadataOf(graph)));
  std::istringstream none;
  ASSIGN_OR_RETURN(Rows rows, ReadRows(options, inputs, none));
  ModelRows all;
  for (const RowTensor& tensor : rows.inputs) {
    all.inputs.emplace_back(tensor.type, tensor.ShapeOf(rows.count));
    std::ranges::copy(tensor.RowBytes(0, rows.count),
                      all.inputs.back().bytes().begin());
  }
  all.columns = std::move(rows.columns);
  return all;
}

}  // namespace relu
