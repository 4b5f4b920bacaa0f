// libFuzzer target: a request over REST, from its target to its answer. The
// input is
//
//   METHOD TARGET JSON_BYTES\n
//   BODY
//
// where JSON_BYTES is the value of Inference-Header-Content-Length, or "-". The
// body is also taken for a packed one.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/check.h"
#include "proto/inference.pb.h"
#include "server/http/compression.h"
#include "server/http/http_message.h"
#include "server/json_message.h"
#include "tests/server/rest_fixture.h"
#include <nlohmann/json.hpp>

namespace {

// Takes what comes before `end` from the front of `text`, and `end`.
std::string Take(std::string_view& text, char end) {
  const std::size_t size = std::min(text.find(end), text.size());
  const std::string part(text.substr(0, size));
  text.remove_prefix(std::min(size + 1, text.size()));
  return part;
}

// What is behind the JSON of an answer is bytes.
std::string_view JsonOf(const relu::HttpResponse& response) {
  for (const auto& [name, value] : response.headers) {
    if (name == "Inference-Header-Content-Length") {
      return std::string_view(response.body).substr(0, std::stoul(value));
    }
  }
  return response.body;
}

}  // namespace

// Its name is given by libFuzzer.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes,
                                      std::size_t size) {
  static relu::RestFixture rest({.models = {"digits_mlp", "credit_embed"}});
  std::string_view input(reinterpret_cast<const char*>(bytes), size);
  relu::FakeHttpCall::Request request;
  request.method = Take(input, ' ');
  request.target = Take(input, ' ');
  const std::string json_bytes = Take(input, '\n');
  if (json_bytes != "-") {
    request.headers["Inference-Header-Content-Length"] = json_bytes;
  }
  request.body = input;
  const relu::HttpResponse response = rest.Call(std::move(request));
  // Whatever came in, what goes out is JSON.
  CHECK(response.status >= 200 && response.status < 600);
  CHECK(nlohmann::json::accept(JsonOf(response)));

  // What is off in this server.
  inference::RepositoryModelLoadRequest load;
  relu::JsonToMessage(input, load).IgnoreError();
  inference::TraceSettingRequest trace;
  relu::JsonToField(input, *trace.GetDescriptor()->FindFieldByName("settings"),
                    trace)
      .IgnoreError();
  std::string json;
  relu::MessageToJson(load, json);
  CHECK(nlohmann::json::accept(json));

  constexpr std::size_t kMaxUnpacked = 1 << 16;
  const auto unpacked = relu::UnpackedBytes(input, kMaxUnpacked);
  CHECK(!unpacked.ok() ||
        relu::Decompress(input, *unpacked).size() == *unpacked);
  return 0;
}
