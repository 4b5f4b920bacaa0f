#include "server/server.h"

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "gtest/gtest.h"

#include "fmt/format.h"
#include "server/health.h"
#include "server/log.h"
#include "tests/server/grpc_fixture.h"
#include "tests/server/loaded_repository.h"

namespace relu {
namespace {

using testing::HasSubstr;
using testing::Not;

ServerOptions Options(const LoadedRepository& loaded) {
  ServerOptions options;
  options.model_repository = loaded.folder();
  options.repository.settle_seconds = 0;
  options.grpc_address = "127.0.0.1";
  options.grpc_port = 0;
  options.metrics_address = "127.0.0.1";
  options.metrics_port = 0;
  options.edge.http_address = "127.0.0.1";
  options.edge.http_port = 0;
  options.threads = 2;
  return options;
}

// Starts a server and returns what it logged.
std::string StartLog(const ServerOptions& options,
                     std::unique_ptr<Server>& server) {
  testing::internal::CaptureStderr();
  EXPECT_TRUE(SetLogSettings({}).ok());
  auto started = Server::Start(options);
  EXPECT_TRUE(started.ok()) << started.status();
  if (started.ok()) {
    server = *std::move(started);
  }
  return testing::internal::GetCapturedStderr();
}

grpc::Status Infer(int port) {
  const auto stub = inference::GRPCInferenceService::NewStub(
      grpc::CreateChannel(fmt::format("127.0.0.1:{}", port),
                          grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  SetFarDeadline(context);
  inference::ModelInferResponse response;
  return stub->ModelInfer(&context, DigitsRequest(), &response);
}

TEST(ServerTest, StartedServerServesAndSaysWhere) {
  LoadedRepository loaded;
  std::unique_ptr<Server> server;
  const std::string log = StartLog(Options(loaded), server);
  ASSERT_NE(server, nullptr);
  EXPECT_TRUE(Infer(server->grpc_port()).ok());
  EXPECT_THAT(
      log, HasSubstr(fmt::format("1 of 1 models, gRPC on 127.0.0.1:{}, HTTP on "
                                 "127.0.0.1:{}, metrics on 127.0.0.1:{}",
                                 server->grpc_port(), server->http_port(),
                                 server->metrics_port())));
  EXPECT_EQ(server->Shutdown(std::chrono::milliseconds(0)), 0);
}

TEST(ServerTest, ModelThatCannotBeLoadedIsLoggedWithItsReason) {
  LoadedRepository loaded({.broken_model = true});
  std::unique_ptr<Server> server;
  const std::string log = StartLog(Options(loaded), server);
  ASSERT_NE(server, nullptr);
  EXPECT_THAT(log, HasSubstr("warning model 'broken' is not served: "));
  EXPECT_THAT(log, HasSubstr("1 of 2 models"));
  EXPECT_TRUE(Infer(server->grpc_port()).ok());
}

TEST(ServerTest, ExitOnErrorRefusesToStart) {
  LoadedRepository loaded({.broken_model = true});
  ServerOptions options = Options(loaded);
  options.exit_on_error = true;
  const auto server = Server::Start(options);
  EXPECT_EQ(server.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(server.status().message()),
              HasSubstr("--exit-on-error"));
}

TEST(ServerTest, MissingRepositoryReturnsNotFoundAndItsPath) {
  LoadedRepository loaded;
  ServerOptions options = Options(loaded);
  options.model_repository = loaded.folder() / "nowhere";
  const auto server = Server::Start(options);
  EXPECT_EQ(server.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(server.status().message()), HasSubstr("nowhere"));
}

TEST(ServerTest, PortInUseReturnsUnavailable) {
  LoadedRepository loaded;
  std::unique_ptr<Server> first;
  StartLog(Options(loaded), first);
  ASSERT_NE(first, nullptr);
  ServerOptions options = Options(loaded);
  options.grpc_port = first->grpc_port();
  EXPECT_EQ(Server::Start(options).status().code(),
            absl::StatusCode::kUnavailable);
  options = Options(loaded);
  options.metrics_port = first->metrics_port();
  EXPECT_EQ(Server::Start(options).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(ServerTest, MetricsCanBeLeftOut) {
  LoadedRepository loaded;
  ServerOptions options = Options(loaded);
  options.allow_metrics = false;
  std::unique_ptr<Server> server;
  const std::string log = StartLog(options, server);
  ASSERT_NE(server, nullptr);
  EXPECT_EQ(server->metrics_port(), 0);
  EXPECT_THAT(log, HasSubstr("metrics off"));
}

TEST(ServerTest, ShutdownLogsItsStepsAndRefusesCalls) {
  LoadedRepository loaded;
  std::unique_ptr<Server> server;
  StartLog(Options(loaded), server);
  ASSERT_NE(server, nullptr);
  const int port = server->grpc_port();
  testing::internal::CaptureStderr();
  EXPECT_EQ(server->Shutdown(std::chrono::milliseconds(0)), 0);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("shutting down: not ready any more"),
                    HasSubstr("every request was answered")));
  EXPECT_EQ(Infer(port).error_code(), grpc::StatusCode::UNAVAILABLE);
}

// What the health of a service is, as bytes of grpc.health.v1.
std::string CheckHealth(Connection& connection, const std::string& service) {
  std::string request = "\x0a";
  request += static_cast<char>(service.size());
  return connection.Call("/grpc.health.v1.Health/Check", request + service)
      .second;
}

TEST(ServerTest, HealthFollowsTheModels) {
  LoadedRepository loaded;
  ServerOptions options = Options(loaded);
  options.repository.control = ControlMode::kExplicit;
  options.edge.allow_control = true;
  std::unique_ptr<Server> server;
  StartLog(options, server);
  ASSERT_NE(server, nullptr);
  Connection connection(server->grpc_port());
  inference::RepositoryModelLoadRequest request;
  request.set_model_name("digits_mlp");
  const std::string name = request.SerializeAsString();
  const std::string v2 = "/inference.GRPCInferenceService/";
  EXPECT_EQ(CheckHealth(connection, "digits_mlp"),
            HealthResponse(ServingStatus::kNotServing));
  // What nobody has asked for does not make the server unready.
  EXPECT_EQ(CheckHealth(connection, ""),
            HealthResponse(ServingStatus::kServing));

  EXPECT_TRUE(connection.Call(v2 + "RepositoryModelLoad", name).first.ok());
  EXPECT_EQ(CheckHealth(connection, "digits_mlp"),
            HealthResponse(ServingStatus::kServing));
  EXPECT_TRUE(Infer(server->grpc_port()).ok());

  EXPECT_TRUE(connection.Call(v2 + "RepositoryModelUnload", name).first.ok());
  EXPECT_EQ(CheckHealth(connection, "digits_mlp"),
            HealthResponse(ServingStatus::kNotServing));
  EXPECT_EQ(Infer(server->grpc_port()).error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST(ServerTest, CertificatesAreLoggedAtTheStartAndAfterALoad) {
  const auto config = [](const std::string& domain) {
    return fmt::format(
        "parameters {{ key: \"input_domain.input\" value {{ string_value: "
        "\"{}\" }} }}"
        "parameters {{ key: \"overflow_certificate\" value {{ string_value: "
        "\"warn\" }} }}",
        domain);
  };
  LoadedRepository good({.config = config("[0, 1]")});
  LoadedRepository bad({.config = config("[0, inf]")});
  std::unique_ptr<Server> server;
  EXPECT_THAT(StartLog(Options(good), server),
              HasSubstr("model 'digits_mlp' version 1: certified: "));
  ServerOptions options = Options(bad);
  options.repository.control = ControlMode::kExplicit;
  options.edge.allow_control = true;
  EXPECT_THAT(StartLog(options, server),
              Not(HasSubstr("model 'digits_mlp' version 1: ")));
  Connection connection(server->grpc_port());
  inference::RepositoryModelLoadRequest request;
  request.set_model_name("digits_mlp");
  testing::internal::CaptureStderr();
  connection.Call("/inference.GRPCInferenceService/RepositoryModelLoad",
                  request.SerializeAsString());
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("ms; not certified: an input of its domain may "
                        "overflow: output \""));
}

TEST(ServerTest, LoadsAndFailuresAreLogged) {
  LoadedRepository loaded({.broken_model = true});
  ServerOptions options = Options(loaded);
  options.repository.control = ControlMode::kExplicit;
  options.edge.allow_control = true;
  std::unique_ptr<Server> server;
  StartLog(options, server);
  ASSERT_NE(server, nullptr);
  Connection connection(server->grpc_port());
  const std::string v2 = "/inference.GRPCInferenceService/";
  testing::internal::CaptureStderr();
  for (const char* model : {"digits_mlp", "broken"}) {
    inference::RepositoryModelLoadRequest request;
    request.set_model_name(model);
    connection.Call(v2 + "RepositoryModelLoad", request.SerializeAsString());
    connection.Call(v2 + "RepositoryModelUnload", request.SerializeAsString());
  }
  EXPECT_THAT(
      testing::internal::GetCapturedStderr(),
      AllOf(HasSubstr("model 'digits_mlp' version 1 loaded in "),
            HasSubstr("model 'digits_mlp' unloaded"),
            HasSubstr("model 'broken' is not loaded: model \"broken\"")));
}

}  // namespace
}  // namespace relu
