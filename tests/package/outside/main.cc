// A program of another project. It must find no server, and say so.

#include <chrono>
#include <iostream>

#include "absl/status/status.h"

#include "client/inference_client.h"

int main() {
  // Nothing can listen here: the folder does not exist.
  const auto client = relu::InferenceClient::Create(
      "unix:/nonexistent/relud.sock",
      {.default_timeout = std::chrono::seconds(5)});
  if (!client.ok()) {
    std::cerr << client.status() << "\n";
    return 1;
  }
  const absl::Status status = (*client)->ServerLive().status();
  std::cout << "ServerLive: " << status << "\n";
  return absl::IsUnavailable(status) ? 0 : 1;
}
