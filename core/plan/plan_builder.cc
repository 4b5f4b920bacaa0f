#include "core/plan/plan_builder.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/aligned_buffer.h"
#include "core/base/check.h"
#include "core/graph/graph.h"
#include "core/plan/arena.h"
#include "core/plan/step.h"
#include "core/plan/storage.h"

namespace relu {
namespace {

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

}  // namespace

PlanBuilder::PlanBuilder(const Graph& graph)
    : graph_(graph),
      uses_(graph),
      buffer_of_value_(graph.values.size(), kNone),
      reserved_(graph.values.size(), kNone) {}

std::size_t PlanBuilder::BufferOf(ValueId id) const {
  CHECK(buffer_of_value_[id] != kNone);
  return buffer_of_value_[id];
}

std::size_t PlanBuilder::Define(ValueId id) {
  const std::size_t buffer =
      IsReserved(id) ? reserved_[id] : AddBuffer(RowBytes(value(id)));
  Place(id, buffer);
  return buffer;
}

// Whether nothing but `node` needs what is in the memory of an input's buffer.
bool PlanBuilder::MayOverwrite(const Node& node, std::size_t input) const {
  const std::size_t buffer = BufferOf(node.inputs[input]);
  const std::size_t root = buffer_uses_[buffer].root;
  std::size_t own_uses = 0;
  for (const ValueId id : node.inputs) {
    if (id == kNoValue || buffer_of_value_[id] == kNone ||
        buffer_uses_[BufferOf(id)].root != root) {
      continue;
    }
    if (BufferOf(id) != buffer) {
      return false;  // Other columns, which may overlap these.
    }
    ++own_uses;
  }
  return buffer_uses_[root].open_uses == own_uses &&
         buffer_uses_[root].lifetime.last_step != kNone;
}

std::size_t PlanBuilder::DefineInPlace(ValueId id, const Node& node,
                                       std::size_t input) {
  const std::size_t buffer = BufferOf(node.inputs[input]);
  if (!IsReserved(id) && MayOverwrite(node, input) &&
      buffers_[buffer].row_bytes == RowBytes(value(id))) {
    Place(id, buffer);
    return buffer;
  }
  return Define(id);
}

void PlanBuilder::Place(ValueId id, std::size_t buffer) {
  buffer_of_value_[id] = buffer;
  buffer_uses_[buffer_uses_[buffer].root].open_uses += uses_.Count(id);
}

void PlanBuilder::Reserve(ValueId id, std::size_t buffer,
                          std::size_t column_bytes) {
  reserved_[id] = AddColumns(buffer, column_bytes, RowBytes(value(id)));
}

bool PlanBuilder::IsReserved(ValueId id) const {
  return reserved_[id] != kNone;
}

std::size_t PlanBuilder::ReservedBuffer(ValueId id) const {
  CHECK(IsReserved(id));
  return reserved_[id];
}

void PlanBuilder::Release(ValueId id) {
  if (id != kNoValue && buffer_of_value_[id] != kNone) {
    --buffer_uses_[buffer_uses_[BufferOf(id)].root].open_uses;
  }
}

std::size_t PlanBuilder::AddBuffer(std::size_t row_bytes) {
  std::size_t stride_bytes = RoundUp(row_bytes, kBufferAlignment);
  // Rows that far apart would share the same few lines of L1, which six rows at
  // a time and their weights need together.
  constexpr std::size_t kAliasBytes = 2048;
  if (row_bytes > 0 && stride_bytes % kAliasBytes == 0) {
    stride_bytes += kBufferAlignment;
  }
  buffers_.push_back(
      {.row_bytes = row_bytes, .row_stride_bytes = stride_bytes});
  // Nothing has touched it yet: the first step makes the lifetime right.
  buffer_uses_.push_back({.root = buffers_.size() - 1,
                          .lifetime = {.first_step = kNone, .last_step = 0}});
  return buffers_.size() - 1;
}

std::size_t PlanBuilder::AddColumns(std::size_t buffer,
                                    std::size_t column_bytes,
                                    std::size_t row_bytes) {
  const BufferLayout whole = buffers_[buffer];
  CHECK(column_bytes + row_bytes <= whole.row_bytes);
  buffers_.push_back({.row_bytes = row_bytes,
                      .row_stride_bytes = whole.row_stride_bytes,
                      .column_bytes = whole.column_bytes + column_bytes});
  buffer_uses_.push_back({.root = buffer_uses_[buffer].root, .lifetime = {}});
  return buffers_.size() - 1;
}

std::size_t PlanBuilder::FloatStride(std::size_t buffer) const {
  return buffers_[buffer].row_stride_bytes / sizeof(float);
}

bool PlanBuilder::IsColumns(std::size_t buffer, std::size_t whole,
                            std::size_t column_bytes) const {
  return buffer_uses_[buffer].root == buffer_uses_[whole].root &&
         buffers_[buffer].column_bytes ==
             buffers_[whole].column_bytes + column_bytes;
}

bool PlanBuilder::HasDenseRows(std::size_t buffer) const {
  return buffers_[buffer].row_bytes == buffers_[buffer].row_stride_bytes;
}

void PlanBuilder::AddStep(std::unique_ptr<const Step> step,
                          const std::vector<std::size_t>& buffers) {
  for (const std::size_t buffer : buffers) {
    Lifetime& lifetime = buffer_uses_[buffer_uses_[buffer].root].lifetime;
    lifetime.first_step = std::min(lifetime.first_step, steps_.size());
    lifetime.last_step = std::max(lifetime.last_step, steps_.size());
  }
  constant_bytes_ += step->constant_bytes();
  steps_.push_back(std::move(step));
}

void PlanBuilder::ProtectContent(std::size_t buffer) {
  ++buffer_uses_[buffer_uses_[buffer].root].open_uses;  // Never released.
}

void PlanBuilder::KeepAlways(std::size_t buffer) {
  buffer_uses_[buffer_uses_[buffer].root].lifetime = {.first_step = 0,
                                                      .last_step = kNone};
}

void PlanBuilder::KeepToEnd(std::size_t buffer) {
  buffer_uses_[buffer_uses_[buffer].root].lifetime.last_step = kNone;
}

PlanBuilder::Plan PlanBuilder::Finish() {
  std::vector<std::size_t> roots;
  std::vector<BufferLayout> layouts;
  std::vector<Lifetime> lifetimes;
  for (std::size_t i = 0; i < buffers_.size(); ++i) {
    if (buffer_uses_[i].root == i) {
      roots.push_back(i);
      layouts.push_back(buffers_[i]);
      lifetimes.push_back(buffer_uses_[i].lifetime);
    }
  }
  Plan plan;
  plan.workspace_row_bytes = PlaceBuffers(lifetimes, layouts);
  for (std::size_t i = 0; i < roots.size(); ++i) {
    buffers_[roots[i]] = layouts[i];
  }
  for (std::size_t i = 0; i < buffers_.size(); ++i) {
    buffers_[i].offset_bytes = buffers_[buffer_uses_[i].root].offset_bytes;
  }
  plan.buffers = std::move(buffers_);
  for (const std::unique_ptr<const Step>& step : steps_) {
    plan.constant_bytes += step->constant_bytes();
    plan.scratch_bytes = std::max(plan.scratch_bytes, step->scratch_bytes());
  }
  plan.steps = std::move(steps_);
  return plan;
}

}  // namespace relu
