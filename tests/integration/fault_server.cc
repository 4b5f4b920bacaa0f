// A V2 server that writes down every inference that it executes, so that a test
// can count them: a line "ID SENDS-BEFORE" for each, appended to a file. What
// is in the file outlives a SIGKILL.
//
//   fault_server FILE PORT

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <thread>

#include "grpcpp/server_context.h"

#include "core/base/check.h"
#include "fmt/format.h"
#include "proto/inference.pb.h"
#include "tests/client/fake_server.h"

namespace relu {
namespace {

std::string SendsBefore(const grpc::ServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find("grpc-previous-rpc-attempts");
  return found == metadata.end()
             ? "0"
             : std::string(found->second.data(), found->second.size());
}

int Serve(const char* file, const char* port) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // Gone with the test.
  const int log = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  CHECK(log >= 0);
  FakeAnswers answers;
  answers.listen = fmt::format("127.0.0.1:{}", port);
  answers.infer_with_context = [log](
                                   grpc::ServerContext& context,
                                   const inference::ModelInferRequest& request,
                                   inference::ModelInferResponse& response) {
    const std::string line =
        fmt::format("{} {}\n", request.id(), SendsBefore(context));
    CHECK(write(log, line.data(), line.size()) ==
          static_cast<ssize_t>(line.size()));
    return Echo(request, response);
  };
  const FakeServer server(std::move(answers));
  fmt::print(stderr, "fault server: gRPC on {}\n", server.address());
  while (true) {
    pause();
  }
}

}  // namespace
}  // namespace relu

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: fault_server FILE PORT\n");
    return 2;
  }
  return relu::Serve(argv[1], argv[2]);
}
