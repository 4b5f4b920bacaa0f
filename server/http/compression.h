// gzip and deflate, the content encodings of HTTP.

#ifndef SERVER_HTTP_COMPRESSION_H_
#define SERVER_HTTP_COMPRESSION_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace relu {

enum class ContentCoding { kIdentity, kGzip, kDeflate, kUnknown };

// What a Content-Encoding field names. Empty: identity.
ContentCoding ParseContentCoding(std::string_view field);

// The coding to answer with, by an Accept-Encoding field: gzip or deflate if
// the client takes it (its q is above 0), else identity.
ContentCoding ChooseContentCoding(std::string_view accept_encoding);

// "gzip", "deflate".
std::string_view ContentCodingName(ContentCoding coding);

// How long gzip or zlib data is, unpacked. It may be a thousand times longer
// than `packed`, so it is unpacked once without keeping it: memory is taken for
// what is wanted alone. Errors:
//   INVALID_ARGUMENT    it is neither, is cut short, or more follows it
//   RESOURCE_EXHAUSTED  it is longer than `max_bytes`
absl::StatusOr<std::size_t> UnpackedBytes(std::string_view packed,
                                          std::size_t max_bytes);

// Unpacks what UnpackedBytes() has found to be `unpacked_bytes` long.
std::string Decompress(std::string_view packed, std::size_t unpacked_bytes);

// Packs with the fastest level: answers are numbers, where more gains little.
// `coding` is gzip or deflate.
std::string Compress(std::string_view text, ContentCoding coding);

}  // namespace relu

#endif  // SERVER_HTTP_COMPRESSION_H_
