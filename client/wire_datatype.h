// The datatypes of the V2 protocol and the bytes that tensors of them take on
// the wire. (core/tensor has the types that our engine computes with; a client
// of any server also meets others, and is installed without the engine.)

#ifndef CLIENT_WIRE_DATATYPE_H_
#define CLIENT_WIRE_DATATYPE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace relu {

inline constexpr std::string_view kBytesDatatype = "BYTES";

// Bytes of one element; 0 for BYTES, whose elements have no fixed size. nullopt
// if the protocol has no such datatype.
std::optional<std::size_t> WireElementSize(std::string_view datatype);

// The product of the sizes; nullopt if one is negative or the product does not
// fit 63 bits. 0 if any size is 0.
std::optional<std::int64_t> WireElementCount(
    std::span<const std::int64_t> shape);

}  // namespace relu

#endif  // CLIENT_WIRE_DATATYPE_H_
