// GraphPattern: finds out how values of a graph are computed, for rewrites.

#ifndef CORE_PLAN_GRAPH_PATTERN_H_
#define CORE_PLAN_GRAPH_PATTERN_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "core/graph/graph.h"

namespace relu {

// A value as the product of others and a number.
struct Product {
  std::vector<ValueId> factors;  // In ascending order; one may come twice.
  double constant = 1.0;
};

// For one thread. Nodes may be replaced while it is in use, if their outputs
// stay.
class GraphPattern {
 public:
  // Borrows `graph`.
  explicit GraphPattern(const Graph& graph);

  const Graph& graph() const { return graph_; }
  const Value& value(ValueId id) const { return graph_.values[id]; }

  // The node that computes `id` as its first output, if it is an `op`; else
  // nullptr.
  const Node* Producer(ValueId id, Operator op) const;

  // The one number that all elements of a constant are.
  std::optional<double> Number(ValueId id) const;
  // Whether `id` is that number, as exactly as float32 has it.
  bool IsNumber(ValueId id, double number) const;

  // Takes apart what Mul, Div by numbers, and Pow by 2 or 3 have made; `whole`
  // is not taken apart.
  Product Factors(ValueId id, ValueId whole = kNoValue) const;

  // If `id` is `op`(x, c) or, unless the order matters, `op`(c, x) with a
  // number c: both.
  struct WithNumber {
    ValueId x = kNoValue;
    double number = 0.0;
  };
  std::optional<WithNumber> SplitNumber(ValueId id, Operator op) const;

 private:
  void Collect(ValueId id, ValueId whole, int depth, Product& product) const;

  const Graph& graph_;
  std::vector<std::optional<std::size_t>> producers_;  // By value.
};

// Equal but for the rounding of constants to float32 or to a few digits.
bool IsClose(double a, double b);

}  // namespace relu

#endif  // CORE_PLAN_GRAPH_PATTERN_H_
