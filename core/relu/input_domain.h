// InputDomain: what the inputs of a model may be, and which values of a request
// are not.

#ifndef CORE_RELU_INPUT_DOMAIN_H_
#define CORE_RELU_INPUT_DOMAIN_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/plan/compiled_model.h"
#include "core/relu/domain_rule.h"
#include "core/relu/leaf_box.h"
#include "core/relu/piecewise_network.h"
#include "core/tensor/data_type.h"

namespace relu {

// The rules of one input, by its name.
struct InputRules {
  std::string input;
  std::vector<DomainRule> rules;
};

// A value that is not in the domain.
struct OutsideValue {
  std::size_t input = 0;  // Of the model.
  std::int64_t row = 0;
  std::size_t rule = 0;     // Of InputDomain::labels().
  std::size_t element = 0;  // Of the row.
  // What it is. Of a one-hot group: the first that is neither 0 nor 1; or a
  // second 1; or a 0, if all are.
  double value = 0.0;
};

// Immutable after it is made. Borrows nothing.
class InputDomain {
 public:
  // Of all values: nothing is outside.
  InputDomain() = default;

  // Bounds are rounded to the types of the inputs, as their values are. Errors:
  //   INVALID_ARGUMENT  there is no such input or element, it is there twice,
  //                     or a bound is no number of the input's type
  //   UNIMPLEMENTED     the input does not hold its rows one after the other
  static absl::StatusOr<InputDomain> Create(
      std::span<const InputRules> rules,
      std::span<const TensorSignature> inputs);

  bool empty() const { return tensors_.empty(); }

  // The elements that each rule is for, such as "x[3-6]", for figures of them.
  const std::vector<std::string>& labels() const { return labels_; }

  // Calls `visit` for the values of input `input` that are not in the domain:
  // `rows` rows, without alignment. NaN never is, if there is a rule for it.
  // Quick, and without memory, for rows of FP32 that are inside; for others in
  // the memory of one row.
  void VisitOutside(std::size_t input, std::int64_t rows,
                    const std::byte* values,
                    absl::FunctionRef<void(const OutsideValue&)> visit) const;

  // Moves a value to the nearest of the domain, in the `values` that it was
  // found in. False if there is none: NaN, and categories.
  bool Clamp(const OutsideValue& outside, std::byte* values) const;

  // `input "x": row 2, element 5 is 200, the domain is [18, 100]`
  std::string Text(const OutsideValue& outside) const;

  // Bounds of all elements, and one-hot groups; integers without a rule are any
  // of their type. FAILED_PRECONDITION if floats have no rule.
  absl::StatusOr<InputBox> BoxOf(const PiecewiseNetwork& network) const;

  // INVALID_ARGUMENT, naming the first elements that may be more, unless all
  // that is in this domain is in `outer`, which is of the same model.
  absl::Status CheckWithin(const InputDomain& outer) const;

 private:
  // The bounds of a rule as an element of the input.
  struct Ends {
    std::array<std::byte, 8> low = {};
    std::array<std::byte, 8> high = {};
  };
  struct TensorDomain {
    std::size_t input = 0;  // Of the model.
    std::string name;
    DataType type = DataType::kFp32;
    std::size_t elements = 0;  // Of a row.
    std::size_t first_label = 0;
    std::vector<DomainRule> rules;
    std::vector<Ends> ends;  // By rule.
    // By element; infinite without a rule. As floats for FP32 alone.
    std::vector<float> float_low, float_high;
    std::vector<double> low, high;
  };

  static absl::StatusOr<TensorDomain> ForTensor(
      const InputRules& rules, std::span<const TensorSignature> inputs);

  static bool FloatsAreInside(const TensorDomain& domain, const std::byte* row);
  static void VisitRow(const TensorDomain& domain, std::int64_t row_index,
                       const std::vector<double>& numbers,
                       absl::FunctionRef<void(const OutsideValue&)> visit);

  // Whether the elements of the rule are all within it.
  static bool IsWithin(const DomainRule& outer, const TensorDomain& domain);

  const TensorDomain* Of(std::size_t input) const;

  std::vector<TensorDomain> tensors_;  // Only of inputs that have rules.
  std::vector<std::string> labels_;
};

}  // namespace relu

#endif  // CORE_RELU_INPUT_DOMAIN_H_
