// A client of several servers that outlives the loss of any of them.
//
//   example_resilient ADDRESS,ADDRESS,...      servers with deploy/models

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "client/inference_client.h"

namespace {

std::string ReadText(const char* file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

relu::ClientOptions Options() {
  using std::chrono::milliseconds;
  relu::ClientOptions options;
  options.default_timeout = milliseconds(2'000);
  // Calls that fail with UNAVAILABLE go to another server; so do those that a
  // server does not answer within a quarter of a second.
  options.retry.max_attempts = 4;
  options.retry.attempt_timeout = milliseconds(250);
  // A server with half of its calls failing is left out for ten seconds.
  options.balancing.ejection_time = milliseconds(10'000);
  return options;
}

// The other cure for slow servers: ask a second one after 20 ms.
relu::ClientOptions HedgedOptions() {
  relu::ClientOptions options = Options();
  options.hedging = {.max_attempts = 2, .delay = std::chrono::milliseconds(20)};
  return options;
}

// Encrypted, with a certificate of our own and a token that may change.
relu::ClientOptions SecureOptions() {
  relu::ClientOptions options = Options();
  options.tls = {.enabled = true,
                 .root_certificates = ReadText("ca.pem"),
                 .certificate_chain = ReadText("client.pem"),
                 .private_key = ReadText("client.key"),
                 .server_name = "relud.example.org"};
  options.token = [] { return ReadText("token"); };
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 2 ? argv[2] : "";
  const auto client = relu::InferenceClient::Create(
      argc > 1 ? argv[1] : "127.0.0.1:8001,127.0.0.1:8011",
      mode == "hedged"   ? HedgedOptions()
      : mode == "secure" ? SecureOptions()
                         : Options());
  if (!client.ok()) {
    std::fprintf(stderr, "%s\n", client.status().ToString().c_str());
    return 1;
  }
  relu::InferRequest request("digits_mlp");
  request.AddInput<float>("input", std::vector<std::int64_t>{1, 64},
                          std::vector<float>(64, 0.5F));
  const auto result = (*client)->Infer(request);
  std::printf("%s\n", result.status().ToString().c_str());
  return result.ok() ? 0 : 1;
}
