#include "core/graph/operators.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/graph/layout_inference.h"
#include "core/graph/shape_inference.h"

namespace relu {
namespace {

using I = std::int64_t;
using Integers = std::vector<std::int64_t>;

// Name, operator, least and most inputs, attributes (name, default, required),
// inference. A function, because static objects that allocate are not for the
// start of a program; never changed once made.
const std::vector<OperatorDefinition>& Table() {
  static const std::vector<OperatorDefinition> kTable = {
      {"Add", Operator::kAdd, 2, 2, {}, &InferArithmetic},
      {"ArgMax",
       Operator::kArgMax,
       1,
       1,
       {{"axis", I{0}}, {"keepdims", I{1}}, {"select_last_index", I{0}}},
       &InferArgMax},
      {"Cast",
       Operator::kCast,
       1,
       1,
       // "saturate" is about 8-bit floats, which we do not have.
       {{"saturate", I{1}}, {"to", I{0}, true}},
       &InferCast},
      {"Concat",
       Operator::kConcat,
       1,
       kAnyNumber,
       {{"axis", I{1}, true}},
       &InferConcat},
      {"Div", Operator::kDiv, 2, 2, {}, &InferArithmetic},
      {"Flatten", Operator::kFlatten, 1, 1, {{"axis", I{1}}}, &InferFlatten},
      {"Gather", Operator::kGather, 2, 2, {{"axis", I{0}}}, &InferGather},
      {"Gemm",
       Operator::kGemm,
       2,
       3,
       {{"alpha", 1.0F}, {"beta", 1.0F}, {"transA", I{0}}, {"transB", I{0}}},
       &InferGemm},
      {"MatMul", Operator::kMatMul, 2, 2, {}, &InferMatMul},
      {"Mul", Operator::kMul, 2, 2, {}, &InferArithmetic},
      {"Relu", Operator::kRelu, 1, 1, {}, &InferActivation},
      {"Reshape",
       Operator::kReshape,
       1,
       2,
       {{"allowzero", I{0}}, {"shape", Integers{}}},
       &InferReshape},
      {"Sigmoid", Operator::kSigmoid, 1, 1, {}, &InferActivation},
      {"Softmax",
       Operator::kSoftmax,
       1,
       1,
       {{"axis", kUnsetAttribute}},
       &InferSoftmax},
      {"Sub", Operator::kSub, 2, 2, {}, &InferArithmetic},
      {"Tanh", Operator::kTanh, 1, 1, {}, &InferActivation},
      {"Transpose",
       Operator::kTranspose,
       1,
       1,
       {{"perm", Integers{}}},
       &InferTranspose},
  };
  return kTable;
}

}  // namespace

const OperatorDefinition* FindOperator(std::string_view name) {
  const auto found =
      std::ranges::find(Table(), name, &OperatorDefinition::name);
  return found == Table().end() ? nullptr : &*found;
}

std::span<const OperatorDefinition> SupportedOperators() { return Table(); }

}  // namespace relu
