#include "tests/benchmark/empty_call.h"

#include <memory>
#include <utility>

#include "absl/status/status.h"

#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "tests/core/graph/model_builder.h"

namespace relu::benchmarks {

EmptyCall::EmptyCall(std::unique_ptr<Engine> engine)
    : engine_(std::move(engine)) {
  ModelBuilder builder;
  builder.Input("x", {.sizes = {-1, 1}}).Output("y", {.sizes = {-1, 1}});
  builder.Node("Identity", {"x"}, "y");
  network_.name = "empty";
  network_.model = builder.model();
  network_.input_names = {"x"};
  network_.inputs.emplace_back(DataType::kFp32, Shape{1, 1});
  network_.outputs = {{.name = "y", .type = DataType::kFp32, .row_shape = {1}}};
  batches_ = MakeBatches(network_, /*rows=*/1);
}

absl::Status EmptyCall::Prepare(const Network& /*network*/,
                                const Batches& /*batches*/) {
  return engine_->Prepare(network_, batches_);
}

}  // namespace relu::benchmarks
