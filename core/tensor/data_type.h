// DataType: the element types of tensors, with the names of the V2 protocol.

#ifndef CORE_TENSOR_DATA_TYPE_H_
#define CORE_TENSOR_DATA_TYPE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace relu {

enum class DataType : std::uint8_t {
  kBool,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kFp16,
  kBf16,
  kFp32,
  kFp64,
};

// "FP32", "INT64", ...: the name on the wire.
std::string_view DataTypeName(DataType type);

// The inverse; nullopt for any other text (BYTES too: we have no such tensors).
std::optional<DataType> ParseDataType(std::string_view name);

// Bytes of one element.
std::size_t DataTypeSize(DataType type);

}  // namespace relu

#endif  // CORE_TENSOR_DATA_TYPE_H_
