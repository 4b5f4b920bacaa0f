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
    : graph_(graph), buffer_of_value_(graph.values.size(), kNone) {}

std::size_t PlanBuilder::BufferOf(ValueId id) const {
  CHECK(buffer_of_value_[id] != kNone);
  return buffer_of_value_[id];
}

std::size_t PlanBuilder::Define(ValueId id) {
  const std::size_t buffer = AddBuffer(RowBytes(value(id)));
  Place(id, buffer);
  return buffer;
}

void PlanBuilder::Place(ValueId id, std::size_t buffer) {
  buffer_of_value_[id] = buffer;
}

std::size_t PlanBuilder::AddBuffer(std::size_t row_bytes) {
  buffers_.push_back(
      {.row_bytes = row_bytes,
       .row_stride_bytes = RoundUp(row_bytes, kBufferAlignment)});
  // Nothing has touched it yet: the first step makes the lifetime right.
  lifetimes_.push_back({.first_step = kNone, .last_step = 0});
  return buffers_.size() - 1;
}

std::size_t PlanBuilder::FloatStride(std::size_t buffer) const {
  return buffers_[buffer].row_stride_bytes / sizeof(float);
}

void PlanBuilder::AddStep(std::unique_ptr<const Step> step,
                          const std::vector<std::size_t>& buffers) {
  for (const std::size_t buffer : buffers) {
    Lifetime& lifetime = lifetimes_[buffer];
    lifetime.first_step = std::min(lifetime.first_step, steps_.size());
    lifetime.last_step = std::max(lifetime.last_step, steps_.size());
  }
  constant_bytes_ += step->constant_bytes();
  steps_.push_back(std::move(step));
}

void PlanBuilder::KeepAlways(std::size_t buffer) {
  lifetimes_[buffer] = {.first_step = 0, .last_step = kNone};
}

void PlanBuilder::KeepToEnd(std::size_t buffer) {
  lifetimes_[buffer].last_step = kNone;
}

PlanBuilder::Plan PlanBuilder::Finish() {
  Plan plan;
  plan.workspace_row_bytes = PlaceBuffers(lifetimes_, buffers_);
  plan.buffers = std::move(buffers_);
  for (const std::unique_ptr<const Step>& step : steps_) {
    plan.constant_bytes += step->constant_bytes();
    plan.scratch_bytes = std::max(plan.scratch_bytes, step->scratch_bytes());
  }
  plan.steps = std::move(steps_);
  return plan;
}

}  // namespace relu
