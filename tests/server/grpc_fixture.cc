#include "tests/server/grpc_fixture.h"

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "grpcpp/completion_queue.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

#include "core/base/check.h"
#include "fmt/format.h"

namespace relu {

GrpcFixture::GrpcFixture(const LoadedRepository::Options& repository,
                         int threads, const StreamLimits& streams,
                         int max_streams, std::size_t max_connections,
                         std::chrono::microseconds busy_poll)
    : loaded_(repository),
      handlers_(loaded_.repository(), /*strict_readiness=*/true),
      rpcs_(handlers_, health_) {
  health_.Set("", true);
  rpcs_.AddRank(environment_);
  auto started = GrpcServer::Start({.address = "127.0.0.1",
                                    .port = 0,
                                    .threads = threads,
                                    .busy_poll = busy_poll,
                                    .stream_limits = streams,
                                    .max_connections = max_connections,
                                    .max_streams = max_streams},
                                   environment_, rpcs_, health_);
  CHECK(started.ok());
  server_ = *std::move(started);
  connection_ = std::make_unique<Connection>(server_->port());
  stub_ = inference::GRPCInferenceService::NewStub(channel());
}

std::pair<grpc::Status, inference::ModelInferResponse> GrpcFixture::Infer(
    const inference::ModelInferRequest& request,
    std::optional<std::chrono::milliseconds> timeout) {
  grpc::ClientContext context;
  SetFarDeadline(context);
  if (timeout.has_value()) {
    context.set_deadline(std::chrono::system_clock::now() + *timeout);
  }
  inference::ModelInferResponse response;
  const grpc::Status status = stub_->ModelInfer(&context, request, &response);
  return {status, response};
}

Connection::Connection(int port) {
  // Else gRPC takes one connection for all channels to an address.
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  channel_ =
      grpc::CreateCustomChannel(fmt::format("127.0.0.1:{}", port),
                                grpc::InsecureChannelCredentials(), arguments);
}

std::pair<grpc::Status, std::string> Connection::Call(
    const std::string& method, const std::string& bytes) {
  grpc::GenericStub stub(channel_);
  grpc::ClientContext context;
  SetFarDeadline(context);
  grpc::CompletionQueue queue;
  const auto call =
      stub.PrepareUnaryCall(&context, method, ToByteBuffer(bytes), &queue);
  call->StartCall();
  grpc::ByteBuffer answer;
  grpc::Status status;
  call->Finish(&answer, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  CHECK(queue.Next(&tag, &ok));
  return {status, status.ok() ? ToString(answer) : std::string()};
}

double GrpcFixture::Requests(const std::string& model,
                             const std::string& code) {
  const std::string text = loaded_.metrics().Text();
  const std::string line = fmt::format(
      "relu_requests_total{{model=\"{}\",version=\"1\",code=\"{}\"}} ", model,
      code);
  const std::size_t begin = text.find(line);
  CHECK(begin != std::string::npos);
  return std::strtod(text.c_str() + begin + line.size(), nullptr);
}

void SetFarDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::minutes(5));
}

grpc::ByteBuffer ToByteBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

std::string ToString(const grpc::ByteBuffer& buffer) {
  grpc::Slice slice;
  CHECK(buffer.DumpToSingleSlice(&slice).ok());
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

}  // namespace relu
