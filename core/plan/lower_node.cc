#include "core/plan/lower_node.h"

#include <fmt/format.h>

#include "absl/status/status.h"

#include "core/graph/graph.h"
#include "core/plan/activation_step.h"
#include "core/plan/arg_max_step.h"
#include "core/plan/arithmetic_step.h"
#include "core/plan/cast_step.h"
#include "core/plan/concat_step.h"
#include "core/plan/gather_step.h"
#include "core/plan/logic_step.h"
#include "core/plan/normalization_step.h"
#include "core/plan/plan_builder.h"
#include "core/plan/rearrange_step.h"
#include "core/plan/reduce_step.h"
#include "core/plan/slice_step.h"
#include "core/plan/softmax_step.h"
#include "core/plan/top_k_step.h"

namespace relu {
namespace {

// Functions that cannot fail, in the form of the others.
template <void (*kLower)(const Node&, PlanBuilder&)>
absl::Status Always(const Node& node, PlanBuilder& plan) {
  kLower(node, plan);
  return absl::OkStatus();
}

// The result is another name for the operand's buffer.
void LowerReshape(const Node& node, PlanBuilder& plan) {
  plan.Place(node.outputs[0], plan.BufferOf(node.inputs[0]));
}

using Lowering = absl::Status (*)(const Node& node, PlanBuilder& plan);

// nullptr if the operator has no step.
Lowering LoweringOf(Operator op) {
  switch (op) {
    case Operator::kAdd:
    case Operator::kDiv:
    case Operator::kMax:
    case Operator::kMean:
    case Operator::kMin:
    case Operator::kMul:
    case Operator::kPRelu:
    case Operator::kPow:
    case Operator::kSub:
    case Operator::kSum:
      return &LowerArithmetic;
    case Operator::kAbs:
    case Operator::kCeil:
    case Operator::kCelu:
    case Operator::kClip:
    case Operator::kElu:
    case Operator::kErf:
    case Operator::kExp:
    case Operator::kFloor:
    case Operator::kGelu:
    case Operator::kHardSigmoid:
    case Operator::kHardSwish:
    case Operator::kLeakyRelu:
    case Operator::kLog:
    case Operator::kMish:
    case Operator::kNeg:
    case Operator::kReciprocal:
    case Operator::kRelu:
    case Operator::kRound:
    case Operator::kSelu:
    case Operator::kSigmoid:
    case Operator::kSign:
    case Operator::kSoftplus:
    case Operator::kSoftsign:
    case Operator::kSqrt:
    case Operator::kSwish:
    case Operator::kTanh:
    case Operator::kThresholdedRelu:
      return &LowerActivation;
    case Operator::kEqual:
    case Operator::kGreater:
    case Operator::kGreaterOrEqual:
    case Operator::kLess:
    case Operator::kLessOrEqual:
      return &LowerComparison;
    case Operator::kAnd:
    case Operator::kNot:
    case Operator::kOr:
    case Operator::kXor:
      return &LowerLogic;
    case Operator::kReduceMax:
    case Operator::kReduceMean:
    case Operator::kReduceMin:
    case Operator::kReduceProd:
    case Operator::kReduceSum:
      return &LowerReduction;
    case Operator::kFlatten:
    case Operator::kReshape:
    case Operator::kSqueeze:
    case Operator::kUnsqueeze:
      return &Always<&LowerReshape>;
    case Operator::kArgMax:
    case Operator::kArgMin:
      return &LowerArgMax;
    case Operator::kLogSoftmax:
    case Operator::kSoftmax:
      return &LowerSoftmax;
    case Operator::kBatchNormalization:
      return &LowerBatchNormalization;
    case Operator::kCast:
      return &Always<&LowerCast>;
    case Operator::kConcat:
      return &LowerConcat;
    case Operator::kExpand:
      return &LowerExpand;
    case Operator::kGather:
      return &LowerGather;
    case Operator::kLayerNormalization:
      return &LowerLayerNormalization;
    case Operator::kSlice:
      return &Always<&LowerSlice>;
    case Operator::kSplit:
      return &Always<&LowerSplit>;
    case Operator::kTopK:
      return &LowerTopK;
    case Operator::kTranspose:
      return &LowerTranspose;
    case Operator::kWhere:
      return &LowerWhere;
    default:
      return nullptr;
  }
}

}  // namespace

absl::Status LowerNode(const Node& node, PlanBuilder& plan) {
  const Lowering lowering = LoweringOf(node.op);
  if (lowering == nullptr) {
    return absl::UnimplementedError(
        fmt::format("{}: the operator is not supported", NodeText(node)));
  }
  return lowering(node, plan);
}

}  // namespace relu
