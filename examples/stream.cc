// Many inferences over one stream.
//
//   example_stream [ADDRESS]      a server with deploy/models

#include <cstdint>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "client/inference_client.h"

int main(int argc, char** argv) {
  const auto client =
      relu::InferenceClient::Create(argc > 1 ? argv[1] : "localhost:8001");
  if (!client.ok()) {
    std::fprintf(stderr, "%s\n", client.status().ToString().c_str());
    return 1;
  }
  const auto stream = (*client)->Stream();
  // One thread sends while another receives.
  std::jthread sender([&stream] {
    for (int i = 0; i < 100; ++i) {
      relu::InferRequest request("digits_mlp");
      request.SetId(std::to_string(i));
      request.AddInput<float>("input", std::vector<std::int64_t>{1, 64},
                              std::vector<float>(64, 0.5F));
      if (!stream->Send(request).ok()) {
        return;  // The stream has ended; Finish() says why.
      }
    }
    stream->FinishSending();
  });
  while (const auto answer = stream->Receive()) {
    // An error here is that of one request; the stream goes on.
    std::printf("%s: %s\n", answer->ok() ? (*answer)->id().c_str() : "?",
                answer->status().ToString().c_str());
  }
  const absl::Status status = stream->Finish();
  std::printf("%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
