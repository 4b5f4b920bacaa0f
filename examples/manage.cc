// Asks a server how it is, and changes what it serves.
//
//   example_manage [ADDRESS]      a server with --model-control-mode=explicit

#include <chrono>
#include <cstdio>

#include "client/inference_client.h"

int main(int argc, char** argv) {
  const auto created =
      relu::InferenceClient::Create(argc > 1 ? argv[1] : "localhost:8001");
  if (!created.ok()) {
    std::fprintf(stderr, "%s\n", created.status().ToString().c_str());
    return 1;
  }
  relu::InferenceClient& client = **created;
  const auto healthy = client.Health();
  std::printf("serving: %s\n", healthy.ok() && *healthy ? "yes" : "no");

  // Loading may take a while. It is sent once, whatever becomes of it.
  const absl::Status loaded =
      client.LoadModel("digits_mlp", {}, {.timeout = std::chrono::seconds(60)});
  std::printf("load: %s\n", loaded.ToString().c_str());

  const auto models = client.RepositoryIndex();
  if (models.ok()) {
    for (const relu::ModelIndexEntry& model : *models) {
      std::printf("%s version %s is %s %s\n", model.name.c_str(),
                  model.version.c_str(), model.state.c_str(),
                  model.reason.c_str());
    }
  }
  const auto statistics = client.ModelStatistics("digits_mlp");
  if (statistics.ok()) {
    for (const relu::ModelStatistics& model : *statistics) {
      std::printf("%llu requests in %llu batches\n",
                  static_cast<unsigned long long>(model.success.count),
                  static_cast<unsigned long long>(model.execution_count));
    }
  }
  return models.ok() ? 0 : 1;
}
