#include "core/relu/part_placement.h"

#include <cstddef>
#include <numeric>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "core/plan/index_table.h"
#include "core/relu/piecewise_network.h"

namespace relu {
namespace {

constexpr std::size_t kMostOps = 1000;

// Whether the slots share floats.
bool Overlap(const Slot& a, const Slot& b) {
  return a.offset < b.offset + b.size && b.offset < a.offset + a.size;
}

// Where the elements go if they stay side by side.
std::optional<Slot> PartOf(const Op& any) {
  const auto* const move = std::get_if<MoveOp>(&any);
  if (move == nullptr || !move->from.empty() || move->to.empty()) {
    return std::nullopt;
  }
  IndexTable side_by_side(move->to.size());
  std::iota(side_by_side.begin(), side_by_side.end(), move->to[0]);
  if (move->to != side_by_side || move->to.size() != move->input.size) {
    return std::nullopt;
  }
  return Slot{.offset = move->output.offset + move->to[0],
              .size = move->input.size};
}

// What alone fills the slot, and fills all of it; nullptr if it is not so.
Slot* FilledBy(const Slot& slot, PiecewiseNetwork& network) {
  std::vector<Slot*> filling;
  for (Leaf& leaf : network.leaves) {
    if (Overlap(leaf.slot, slot)) {
      filling.push_back(&leaf.slot);
    }
  }
  for (Op& any : network.ops) {
    Slot& output = std::visit([](auto& op) -> Slot& { return op.output; }, any);
    if (Overlap(output, slot)) {
      filling.push_back(std::holds_alternative<MoveOp>(any) ? nullptr
                                                            : &output);
    }
  }
  return filling.size() == 1 && filling[0] != nullptr &&
                 filling[0]->size == slot.size
             ? filling[0]
             : nullptr;
}

std::size_t Readers(const Slot& slot, const PiecewiseNetwork& network) {
  std::size_t readers = Overlap(network.output, slot) ? 1U : 0U;
  for (const Op& any : network.ops) {
    for (const Slot& input : InputsOf(any)) {
      readers += Overlap(input, slot) ? 1U : 0U;
    }
  }
  return readers;
}

void Erase(std::size_t i, PiecewiseNetwork& network) {
  network.ops.erase(network.ops.begin() + static_cast<std::ptrdiff_t>(i));
  for (Op& any : network.ops) {
    auto* const op = std::get_if<ActivationOp>(&any);
    if (op != nullptr && op->layer != ActivationOp::kNone && op->layer > i) {
      --op->layer;
    }
  }
}

}  // namespace

void PlaceParts(PiecewiseNetwork& network) {
  if (network.ops.size() > kMostOps) {
    return;
  }
  for (std::size_t i = network.ops.size(); i-- > 0;) {
    const std::optional<Slot> part = PartOf(network.ops[i]);
    if (!part.has_value()) {
      continue;
    }
    const Slot input = std::get<MoveOp>(network.ops[i]).input;
    Slot* const filled = FilledBy(input, network);
    if (filled != nullptr && Readers(input, network) == 1) {
      *filled = *part;
      Erase(i, network);
    }
  }
}

}  // namespace relu
