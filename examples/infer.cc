// Inference in every way: blocking, with a future, with a callback, and many
// rows in several calls.
//
//   example_infer [ADDRESS]      a server with deploy/models

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/inference_client.h"

namespace {

absl::Status Blocking(relu::InferenceClient& client) {
  // Two pictures of 8x8 pixels, row-major. The request borrows them.
  const std::vector<std::int64_t> shape = {2, 64};
  const std::vector<float> pixels(2 * 64, 0.5F);
  relu::InferRequest request("digits_mlp");
  request.AddInput<float>("input", shape, pixels);

  const auto result =
      client.Infer(request, {.timeout = std::chrono::milliseconds(500)});
  if (!result.ok()) {
    return result.status();
  }
  const auto logits = result->Values<float>("output");
  if (!logits.ok()) {
    return logits.status();
  }
  std::printf("%zu logits, the first is %g\n", logits->size(),
              static_cast<double>((*logits)[0]));
  return absl::OkStatus();
}

absl::Status Futures(relu::InferenceClient& client) {
  std::vector<std::future<absl::StatusOr<relu::InferResult>>> answers;
  for (int i = 0; i < 10; ++i) {
    // A vector that is moved in is sent without a copy.
    std::vector<float> pixels(64, static_cast<float>(i) / 10);
    relu::InferRequest request("digits_mlp");
    request.AddInput<float>("input", std::vector<std::int64_t>{1, 64},
                            std::move(pixels));
    answers.push_back(client.InferAsync(request));
  }
  for (auto& answer : answers) {
    if (const auto result = answer.get(); !result.ok()) {
      return result.status();
    }
  }
  return absl::OkStatus();
}

absl::Status Callback(relu::InferenceClient& client) {
  std::promise<absl::Status> done;
  relu::InferRequest request("digits_mlp");
  request.AddInput<float>("input", std::vector<std::int64_t>{1, 64},
                          std::vector<float>(64, 0.5F));
  client.InferAsync(request, [&done](absl::StatusOr<relu::InferResult> result) {
    done.set_value(result.status());
  });
  return done.get_future().get();
}

absl::Status ManyRows(relu::InferenceClient& client) {
  const std::vector<std::int64_t> shape = {1'000, 64};
  const std::vector<float> pixels(1'000 * 64, 0.5F);
  relu::InferRequest request("digits_mlp");
  request.AddInput<float>("input", shape, pixels);
  // 16 calls, 4 at a time; one answer of 1000 rows.
  const auto result =
      client.InferRows(request, {.rows_per_call = 64, .calls_in_flight = 4});
  if (!result.ok()) {
    return result.status();
  }
  std::printf("%lld rows\n",
              static_cast<long long>(result->outputs()[0].shape[0]));
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  const auto client =
      relu::InferenceClient::Create(argc > 1 ? argv[1] : "localhost:8001");
  if (!client.ok()) {
    std::fprintf(stderr, "%s\n", client.status().ToString().c_str());
    return 1;
  }
  for (const auto way : {Blocking, Futures, Callback, ManyRows}) {
    if (const absl::Status status = way(**client); !status.ok()) {
      std::fprintf(stderr, "%s\n", status.ToString().c_str());
      return 1;
    }
  }
  return 0;
}
