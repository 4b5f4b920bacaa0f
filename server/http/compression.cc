#include "server/http/compression.h"

#include <strings.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/check.h"
#include "fmt/format.h"

namespace relu {
namespace {

// Of zlib: a window of 32 KiB; 16 more for the gzip format, 32 more to take
// either.
constexpr int kZlibWindow = 15;
constexpr int kGzipWindow = 15 + 16;
constexpr int kAnyWindow = 15 + 32;

constexpr std::size_t kChunkBytes = 64 << 10;

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view Trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Whether the parameters of one coding, such as "q=0.5", allow it. A q of 0
// forbids.
bool Allows(std::string_view parameters) {
  const std::string_view parameter = Trim(parameters);
  if (!parameter.starts_with("q=") && !parameter.starts_with("Q=")) {
    return true;
  }
  return parameter.substr(2).find_first_of("123456789") !=
         std::string_view::npos;
}

// zlib takes pointers to bytes that it only reads.
Bytef* Pointer(const char* text) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(text));
}

// Bodies are limited to what an int holds.
uInt Length(std::size_t size) {
  CHECK(size <= std::numeric_limits<uInt>::max());
  return static_cast<uInt>(size);
}

// An inflating stream of `packed` that ends with its scope.
struct Inflater {
  explicit Inflater(std::string_view packed) {
    CHECK(inflateInit2(&stream, kAnyWindow) == Z_OK);
    stream.next_in = Pointer(packed.data());
    stream.avail_in = Length(packed.size());
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  z_stream stream{};
};

}  // namespace

ContentCoding ParseContentCoding(std::string_view field) {
  const std::string_view name = Trim(field);
  if (name.empty() || EqualsIgnoringCase(name, "identity")) {
    return ContentCoding::kIdentity;
  }
  if (EqualsIgnoringCase(name, "gzip") || EqualsIgnoringCase(name, "x-gzip")) {
    return ContentCoding::kGzip;
  }
  return EqualsIgnoringCase(name, "deflate") ? ContentCoding::kDeflate
                                             : ContentCoding::kUnknown;
}

ContentCoding ChooseContentCoding(std::string_view accept_encoding) {
  ContentCoding chosen = ContentCoding::kIdentity;
  std::string_view rest = accept_encoding;
  while (!rest.empty()) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    const std::string_view name = item.substr(0, item.find(';'));
    const ContentCoding coding = ParseContentCoding(name);
    const bool packs =
        coding == ContentCoding::kGzip || coding == ContentCoding::kDeflate;
    if (packs && chosen != ContentCoding::kGzip &&
        Allows(item.substr(std::min(item.size(), name.size() + 1)))) {
      chosen = coding;
    }
  }
  return chosen;
}

std::string_view ContentCodingName(ContentCoding coding) {
  CHECK(coding == ContentCoding::kGzip || coding == ContentCoding::kDeflate);
  return coding == ContentCoding::kGzip ? "gzip" : "deflate";
}

absl::StatusOr<std::size_t> UnpackedBytes(std::string_view packed,
                                          std::size_t max_bytes) {
  Inflater inflater(packed);
  z_stream& stream = inflater.stream;
  std::array<char, kChunkBytes> scratch;
  std::size_t bytes = 0;
  int code = Z_OK;
  while (code == Z_OK) {
    stream.next_out = Pointer(scratch.data());
    stream.avail_out = Length(scratch.size());
    code = inflate(&stream, Z_NO_FLUSH);
    bytes += scratch.size() - stream.avail_out;
    if (bytes > max_bytes) {
      return absl::ResourceExhaustedError(
          fmt::format("unpacked, the body is larger than the limit of {} bytes",
                      max_bytes));
    }
  }
  if (code != Z_STREAM_END || stream.avail_in > 0) {
    return absl::InvalidArgumentError(
        "the body is not what its Content-Encoding says: expected one whole "
        "gzip or zlib stream");
  }
  return bytes;
}

std::string Decompress(std::string_view packed, std::size_t unpacked_bytes) {
  Inflater inflater(packed);
  z_stream& stream = inflater.stream;
  // One byte more: zlib wants room for an end without bytes.
  std::string text(unpacked_bytes + 1, '\0');
  stream.next_out = Pointer(text.data());
  stream.avail_out = Length(text.size());
  CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
  CHECK(stream.avail_out == 1);
  text.pop_back();
  return text;
}

std::string Compress(std::string_view text, ContentCoding coding) {
  z_stream stream{};
  constexpr int kMemoryLevel = 8;  // zlib's default.
  CHECK(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED,
                     coding == ContentCoding::kGzip ? kGzipWindow : kZlibWindow,
                     kMemoryLevel, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed;
  packed.resize(deflateBound(&stream, text.size()));
  stream.next_in = Pointer(text.data());
  stream.avail_in = Length(text.size());
  stream.next_out = Pointer(packed.data());
  stream.avail_out = Length(packed.size());
  CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

}  // namespace relu
