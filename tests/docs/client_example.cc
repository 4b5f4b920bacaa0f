#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "client/inference_client.h"

int main() {
  const auto client = relu::InferenceClient::Create("localhost:8001");
  if (!client.ok()) {
    std::fprintf(stderr, "%s\n", client.status().ToString().c_str());
    return 1;
  }

  // Two pictures of 8x8 pixels, row-major.
  const std::vector<std::int64_t> shape = {2, 64};
  const std::vector<float> pixels(2 * 64, 0.5F);
  relu::InferRequest request("digits_mlp");
  request.AddInput<float>("input", shape, pixels);

  const auto result = (*client)->Infer(request);
  if (!result.ok()) {
    std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
    return 1;
  }
  const auto logits = result->Values<float>("output");
  if (!logits.ok()) {
    std::fprintf(stderr, "%s\n", logits.status().ToString().c_str());
    return 1;
  }
  for (std::size_t i = 0; i < logits->size(); ++i) {
    std::printf("%g%c", static_cast<double>((*logits)[i]),
                i % 10 == 9 ? '\n' : ' ');
  }
  return 0;
}
