#include "core/plan/rearrange_step.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "core/base/check.h"
#include "core/graph/graph.h"
#include "core/plan/index_table.h"
#include "core/plan/plan_builder.h"
#include "core/plan/step.h"
#include "core/plan/storage.h"
#include "core/plan/workspace.h"
#include "core/tensor/data_type.h"

namespace relu {
namespace {

// T has the size of an element; what it means does not matter.
template <typename T>
class RearrangeStep : public Step {
 public:
  RearrangeStep(Rearrangement rearrangement, std::size_t output)
      : name_(rearrangement.name),
        table_(std::move(rearrangement.table)),
        input_(rearrangement.source),
        output_(output) {}

  void Run(RowRange rows, Workspace& workspace) const override {
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const T* input = workspace.Row<const T>(input_, row);
      T* output = workspace.Row<T>(output_, row);
      for (std::size_t i = 0; i < table_.size(); ++i) {
        output[i] = input[table_[i]];
      }
    }
  }

  std::string Describe() const override {
    return fmt::format("{} to {}", name_, table_.size());
  }

  std::size_t constant_bytes() const override {
    return table_.size() * sizeof(table_[0]);
  }

 private:
  std::string name_;
  IndexTable table_;
  std::size_t input_;
  std::size_t output_;
};

std::unique_ptr<const Step> MakeStep(Rearrangement rearrangement,
                                     std::size_t output) {
  switch (rearrangement.element_bytes) {
    case 1:
      return std::make_unique<RearrangeStep<std::uint8_t>>(
          std::move(rearrangement), output);
    case 2:
      return std::make_unique<RearrangeStep<std::uint16_t>>(
          std::move(rearrangement), output);
    case 4:
      return std::make_unique<RearrangeStep<std::uint32_t>>(
          std::move(rearrangement), output);
    default:
      CHECK(rearrangement.element_bytes == 8);
      return std::make_unique<RearrangeStep<std::uint64_t>>(
          std::move(rearrangement), output);
  }
}

}  // namespace

std::size_t Rearrange(Rearrangement rearrangement, PlanBuilder& plan) {
  const std::size_t source = rearrangement.source;
  const std::size_t source_elements =
      plan.layout(source).row_bytes / rearrangement.element_bytes;
  if (IsIdentity(rearrangement.table, source_elements)) {
    return source;
  }
  const std::size_t output =
      plan.AddBuffer(rearrangement.table.size() * rearrangement.element_bytes);
  plan.AddStep(MakeStep(std::move(rearrangement), output), {source, output});
  return output;
}

absl::Status LowerTranspose(const Node& node, PlanBuilder& plan) {
  const Value& value = plan.value(node.inputs[0]);
  std::vector<std::int64_t> permutation = IntsAttribute(node, "perm");
  if (permutation[0] != 0) {
    return absl::UnimplementedError(fmt::format(
        "{}: perm[0] is {}; the batch dimension must stay first (0)",
        NodeText(node), permutation[0]));
  }
  permutation.erase(permutation.begin());
  for (std::int64_t& from : permutation) {
    --from;  // Within a row.
  }
  plan.Place(node.outputs[0],
             Rearrange({.name = "transpose",
                        .source = plan.BufferOf(node.inputs[0]),
                        .element_bytes = DataTypeSize(StorageType(value.type)),
                        .table = TransposeTable(RowShape(value), permutation)},
                       plan));
  return absl::OkStatus();
}

}  // namespace relu
