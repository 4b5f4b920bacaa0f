#include "core/relu/leaf_box.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "core/relu/integer_source.h"
#include "core/relu/interval.h"
#include "core/relu/piecewise_linear.h"
#include "core/relu/piecewise_network.h"

namespace relu {
namespace {

// The integers that a source may be.
Interval IntegersIn(const InputBox& box, const IntegerSource& source) {
  return IntegersOf(source, {.low = box.low[source.element],
                             .high = box.high[source.element]});
}

// As the network computes with it: what is in order stays so. Not inlined,
// since g++ 12 takes such conversions of two neighbours for none
// (-ftree-slp-vectorize, which -O2 has).
[[gnu::noinline]] double AsFloat(double number) {
  return double{static_cast<float>(number)};
}

double ValueAt(const PiecewiseLinear& function, double x) {
  std::size_t piece = 0;
  while (piece < function.kinks && x > double{function.kink_at[piece]}) {
    ++piece;
  }
  return function.pieces[piece].At(x);
}

}  // namespace

std::vector<OneHotGroup> GroupsOf(const Leaf& leaf, const InputBox& box) {
  std::vector<OneHotGroup> groups;
  for (const OneHotGroup& group : box.one_hot) {
    if (leaf.kind == Leaf::Kind::kInput && group.first >= leaf.first_element &&
        group.first < leaf.first_element + leaf.slot.size) {
      groups.push_back(
          {.first = group.first - leaf.first_element, .size = group.size});
    }
  }
  return groups;
}

Entries EntriesOf(const Leaf& leaf, std::size_t source, const InputBox& box) {
  const auto entries = static_cast<double>(leaf.table.shape()[0]);
  const Interval integers = IntegersIn(box, leaf.sources[source]);
  if (integers.low < 0.0 || integers.high >= entries) {
    return {.first = 0, .last = static_cast<std::size_t>(entries) - 1};
  }
  return {.first = static_cast<std::size_t>(integers.low),
          .last = static_cast<std::size_t>(integers.high)};
}

Interval LeafInterval(const Leaf& leaf, std::size_t i, const InputBox& box) {
  if (leaf.kind == Leaf::Kind::kInput) {
    const std::size_t element = leaf.first_element + i;
    return {.low = AsFloat(box.low[element]),
            .high = AsFloat(box.high[element])};
  }
  if (leaf.kind == Leaf::Kind::kInteger) {
    const Interval integers = IntegersIn(box, leaf.sources[i]);
    return {.low = AsFloat(integers.low), .high = AsFloat(integers.high)};
  }
  const std::size_t size = leaf.entry_size();
  const Entries entries = EntriesOf(leaf, i / size, box);
  const std::span<const float> table = leaf.table.As<float>();
  Interval interval{.low = double{table[entries.first * size + i % size]},
                    .high = double{table[entries.first * size + i % size]}};
  for (std::size_t entry = entries.first; entry <= entries.last; ++entry) {
    const auto value = double{table[entry * size + i % size]};
    interval.low = std::min(interval.low, value);
    interval.high = std::max(interval.high, value);
  }
  return interval;
}

Interval ImageOf(const PiecewiseLinear& function, const Interval& interval) {
  const double a = ValueAt(function, interval.low);
  const double b = ValueAt(function, interval.high);
  Interval image{.low = std::min(a, b), .high = std::max(a, b)};
  for (std::size_t i = 0; i < function.kinks; ++i) {
    const auto kink = double{function.kink_at[i]};
    if (kink > interval.low && kink < interval.high) {
      const double value = ValueAt(function, kink);
      image.low = std::min(image.low, value);
      image.high = std::max(image.high, value);
    }
  }
  return image;
}

}  // namespace relu
