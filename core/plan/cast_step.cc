#include "core/plan/cast_step.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>

#include "core/base/check.h"
#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"
#include "core/plan/step.h"
#include "core/plan/storage.h"
#include "core/plan/workspace.h"
#include "core/tensor/data_type.h"
#include "core/tensor/element.h"
#include "core/tensor/float16.h"

namespace relu {
namespace {

template <typename To, typename From>
To ConvertElement(From value) {
  if constexpr (std::is_same_v<From, Boolean>) {
    return ConvertElement<To>(static_cast<std::uint8_t>(value.byte != 0));
  } else if constexpr (std::is_same_v<From, Half>) {
    return Fp16ToFloat(value.bits);
  } else if constexpr (std::is_same_v<From, BrainFloat>) {
    return Bf16ToFloat(value.bits);
  } else if constexpr (std::is_same_v<To, Boolean>) {
    return {.byte = value != From{0}};
  } else if constexpr (std::is_same_v<To, Half>) {
    return {.bits = FloatToFp16(value)};
  } else if constexpr (std::is_same_v<To, BrainFloat>) {
    return {.bits = FloatToBf16(value)};
  } else if constexpr (std::is_floating_point_v<From> &&
                       std::is_integral_v<To>) {
    return ToInteger<To>(value);
  } else {
    return static_cast<To>(value);
  }
}

template <typename From, typename To>
void ConvertRow(std::size_t size, const std::byte* input, std::byte* output) {
  const auto* from = reinterpret_cast<const From*>(input);
  auto* to = reinterpret_cast<To*>(output);
  for (std::size_t i = 0; i < size; ++i) {
    to[i] = ConvertElement<To>(from[i]);
  }
}

using CastFunction = void (*)(std::size_t size, const std::byte* input,
                              std::byte* output);

template <typename From>
CastFunction ConversionFrom(DataType to) {
  switch (to) {
    case DataType::kBool:
      return &ConvertRow<From, Boolean>;
    case DataType::kUint8:
      return &ConvertRow<From, std::uint8_t>;
    case DataType::kUint16:
      return &ConvertRow<From, std::uint16_t>;
    case DataType::kUint32:
      return &ConvertRow<From, std::uint32_t>;
    case DataType::kUint64:
      return &ConvertRow<From, std::uint64_t>;
    case DataType::kInt8:
      return &ConvertRow<From, std::int8_t>;
    case DataType::kInt16:
      return &ConvertRow<From, std::int16_t>;
    case DataType::kInt32:
      return &ConvertRow<From, std::int32_t>;
    case DataType::kInt64:
      return &ConvertRow<From, std::int64_t>;
    case DataType::kFp32:
      return &ConvertRow<From, float>;
    case DataType::kFp64:
      return &ConvertRow<From, double>;
    case DataType::kFp16:
    case DataType::kBf16:
      break;
  }
  if constexpr (std::is_same_v<From, float>) {
    return to == DataType::kFp16 ? &ConvertRow<float, Half>
                                 : &ConvertRow<float, BrainFloat>;
  }
  return nullptr;
}

CastFunction FindConversion(DataType from, DataType to) {
  switch (from) {
    case DataType::kBool:
      return ConversionFrom<Boolean>(to);
    case DataType::kUint8:
      return ConversionFrom<std::uint8_t>(to);
    case DataType::kUint16:
      return ConversionFrom<std::uint16_t>(to);
    case DataType::kUint32:
      return ConversionFrom<std::uint32_t>(to);
    case DataType::kUint64:
      return ConversionFrom<std::uint64_t>(to);
    case DataType::kInt8:
      return ConversionFrom<std::int8_t>(to);
    case DataType::kInt16:
      return ConversionFrom<std::int16_t>(to);
    case DataType::kInt32:
      return ConversionFrom<std::int32_t>(to);
    case DataType::kInt64:
      return ConversionFrom<std::int64_t>(to);
    case DataType::kFp32:
      return ConversionFrom<float>(to);
    case DataType::kFp64:
      return ConversionFrom<double>(to);
    case DataType::kFp16:
      return to == DataType::kFp32 ? &ConvertRow<Half, float> : nullptr;
    case DataType::kBf16:
      return to == DataType::kFp32 ? &ConvertRow<BrainFloat, float> : nullptr;
  }
  return nullptr;
}

class CastStep : public Step {
 public:
  explicit CastStep(const Conversion& conversion)
      : conversion_(conversion),
        convert_(FindConversion(conversion.from, conversion.to)) {
    CHECK(convert_ != nullptr);
  }

  void Run(RowRange rows, Workspace& workspace) const override {
    for (std::int64_t i = rows.begin; i < rows.end; ++i) {
      convert_(conversion_.elements,
               workspace.Row<const std::byte>(conversion_.input, i),
               workspace.Row<std::byte>(conversion_.output, i));
    }
  }

  std::string Describe() const override {
    return fmt::format("cast {} {} to {}", conversion_.elements,
                       DataTypeName(conversion_.from),
                       DataTypeName(conversion_.to));
  }

 private:
  Conversion conversion_;
  CastFunction convert_;
};

}  // namespace

void LowerCast(const Node& node, PlanBuilder& plan) {
  const Value& from = plan.value(node.inputs[0]);
  const Value& to = plan.value(node.outputs[0]);
  const std::size_t input = plan.BufferOf(node.inputs[0]);
  if (StorageType(from.type) == StorageType(to.type)) {
    plan.Place(node.outputs[0], input);
    return;
  }
  AddConversion({.from = StorageType(from.type),
                 .to = StorageType(to.type),
                 .elements = RowElements(from),
                 .input = input,
                 .output = plan.Define(node.outputs[0])},
                plan);
}

void AddConversion(const Conversion& conversion, PlanBuilder& plan) {
  plan.AddStep(std::make_unique<CastStep>(conversion),
               {conversion.input, conversion.output});
}

}  // namespace relu
