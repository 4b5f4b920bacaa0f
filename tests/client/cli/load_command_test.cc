#include "client/cli/load_command.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <sstream>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "grpcpp/security/server_credentials.h"
#include "gtest/gtest.h"

#include "client/cli/connection_options.h"
#include "client/cli/console.h"
#include "client/cli/outcome.h"
#include "client/inference_client.h"
#include "client/load/network_transport.h"
#include "client/load/socket.h"
#include "client/load/tls_stream.h"
#include "core/base/file.h"
#include "nlohmann/json.hpp"
#include "tests/client/cli/cli_support.h"
#include "tests/client/fake_server.h"
#include "tests/support/certificates.h"

namespace relu {
namespace {

using testing::HasSubstr;

FakeAnswers LoadedModel() {
  FakeAnswers answers;
  answers.AddInput("x", "FP32", {-1, 2});
  return answers;
}

// A run of 50 calls.
LoadOptions Short() {
  LoadOptions options;
  options.models = {"m"};
  options.warm_up_seconds = 0;
  options.calls = 50;
  options.form = OutputForm::kJson;
  return options;
}

struct Ran {
  Outcome outcome;
  std::string progress;
};

Ran Load(const ConnectionOptions& connection, const LoadOptions& options,
         bool terminal = false) {
  const auto client =
      InferenceClient::Create(connection.server,
                              ClientOptionsOf(connection).value())
          .value();
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  Console console{
      .in = in, .out = out, .err = err, .err_is_terminal = terminal};
  Outcome outcome = RunLoadCommand(*client, connection, options, console);
  return {.outcome = std::move(outcome), .progress = err.str()};
}

Ran Load(const FakeServer& server, const LoadOptions& options,
         bool terminal = false) {
  return Load(ConnectionOptions{.server = server.address(),
                                .timeout = std::chrono::seconds(30)},
              options, terminal);
}

nlohmann::json StepOf(const Ran& ran) {
  EXPECT_EQ(ran.outcome.err, "");
  return nlohmann::json::parse(ran.outcome.out)["steps"][0];
}

TEST(LoadCommandTest, EveryCallIsAnsweredAndCounted) {
  std::atomic<int> calls{0};
  FakeAnswers answers = LoadedModel();
  answers.infer = [&calls](const auto& request, auto& response) {
    ++calls;
    return Echo(request, response);
  };
  const FakeServer server(std::move(answers));
  LoadOptions options = Short();
  options.concurrency = {4};
  options.connections = 2;
  options.check = true;
  options.made_up_rows = 7;
  const Ran ran = Load(server, options);
  EXPECT_EQ(ran.outcome.code, ExitCode::kOk);
  EXPECT_EQ(StepOf(ran)["calls"]["good"], 50);
  EXPECT_EQ(calls, 50 + 7);  // Each request once before, for the check.
  EXPECT_EQ(ran.progress, "");
}

TEST(LoadCommandTest, OpenLoopAndThreadsWork) {
  const FakeServer server(LoadedModel());
  LoadOptions options = Short();
  options.rates = {500};
  options.threads = 2;
  const Ran ran = Load(server, options);
  EXPECT_EQ(ran.outcome.code, ExitCode::kOk);
  EXPECT_EQ(StepOf(ran)["calls"]["good"], 50);
}

TEST(LoadCommandTest, FailedCallsAndWrongAnswersHaveTheirExitCode) {
  FakeAnswers failing = LoadedModel();
  failing.infer = [](const auto&, auto&) {
    return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "full");
  };
  const Ran failed = Load(FakeServer(std::move(failing)), Short());
  EXPECT_EQ(failed.outcome.code, ExitCode::kFailedCalls);
  EXPECT_EQ(StepOf(failed)["errors"][0]["code"], "RESOURCE_EXHAUSTED");
  EXPECT_EQ(StepOf(failed)["errors"][0]["count"], 50);

  std::atomic<int> calls{0};
  FakeAnswers changing = LoadedModel();
  changing.infer = [&calls](const auto& request, auto& response) {
    const grpc::Status status = Echo(request, response);
    if (++calls > 64) {
      response.mutable_raw_output_contents(0)->back() ^= 1;
    }
    return status;
  };
  LoadOptions options = Short();
  options.check = true;
  const Ran wrong = Load(FakeServer(std::move(changing)), options);
  EXPECT_EQ(wrong.outcome.code, ExitCode::kFailedCalls);
  EXPECT_EQ(StepOf(wrong)["calls"]["mismatches"], 50);
}

TEST(LoadCommandTest, SearchReportsThePeak) {
  const FakeServer server(LoadedModel());
  LoadOptions options = Short();
  options.calls.reset();
  options.duration_seconds = 0.02;
  options.window_seconds = 0.02;
  options.rates = {100};
  options.peak_target_ms = 1e-3;  // No server answers within a microsecond.
  const Ran ran = Load(server, options);
  EXPECT_EQ(ran.outcome.code, ExitCode::kFailedCalls);
  EXPECT_TRUE(nlohmann::json::parse(ran.outcome.out)["peak"]["calls_per_second"]
                  .is_null());
}

TEST(LoadCommandTest, ReportIsWritten) {
  const FakeServer server(LoadedModel());
  const TemporaryFolder folder;
  LoadOptions options = Short();
  options.report_file = folder.Write("report.html", "");
  EXPECT_EQ(Load(server, options).outcome.code, ExitCode::kOk);
  EXPECT_THAT(ReadFile(options.report_file, 1 << 24).value(),
              HasSubstr("\"calls_per_second\""));
  options.report_file = "/nonexistent/report.html";
  const Ran ran = Load(server, options);
  EXPECT_EQ(ran.outcome.code, ExitCode::kWrongInput);
  EXPECT_THAT(ran.outcome.err, HasSubstr("/nonexistent/report.html"));
}

TEST(LoadCommandTest, ProgressIsShownOnATerminal) {
  const FakeServer server(LoadedModel());
  const Ran ran = Load(server, Short(), /*terminal=*/true);
  EXPECT_THAT(ran.progress, HasSubstr("1 in flight"));
  EXPECT_THAT(ran.progress, HasSubstr("calls/s"));
  LoadOptions quiet = Short();
  quiet.quiet = true;
  EXPECT_EQ(Load(server, quiet, /*terminal=*/true).progress, "");
}

TEST(LoadCommandTest, EncryptedServersAreLoadedIfTheyAreTrusted) {
  const TemporaryFolder folder;
  const std::filesystem::path files =
      std::filesystem::path(folder.Write("report.html", "")).parent_path();
  const Certificate authority = MakeAuthority(files, "authority");
  const Certificate own = MakeCertificate(files, "own", authority);
  const auto text = [](const std::filesystem::path& file) {
    return ReadFile(file, 1 << 20).value();
  };
  grpc::SslServerCredentialsOptions credentials(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  credentials.pem_root_certs = text(authority.certificate);
  credentials.pem_key_cert_pairs.push_back(
      {text(own.key), text(own.certificate)});
  FakeAnswers answers = LoadedModel();
  answers.credentials = grpc::SslServerCredentials(credentials);
  const FakeServer server(std::move(answers));
  const ConnectionOptions connection{.server = server.address(),
                                     .timeout = std::chrono::seconds(30),
                                     .ca_file = authority.certificate.string(),
                                     .cert_file = own.certificate.string(),
                                     .key_file = own.key.string()};
  LoadOptions options = Short();
  options.concurrency = {4};
  options.connections = 2;
  const Ran ran = Load(connection, options);
  EXPECT_EQ(ran.outcome.code, ExitCode::kOk);
  EXPECT_EQ(StepOf(ran)["calls"]["good"], 50);

  // Of nobody's authority: the handshake of the load itself fails.
  load::NetworkOptions network;
  network.addresses = load::ResolveTarget(server.address()).value();
  network.form.tls = load::TlsContext::Create({.enabled = true}).value();
  network.form.server_name = "127.0.0.1";
  const auto transport = load::NetworkTransport::Connect(
      std::move(network), std::chrono::seconds(30));
  EXPECT_EQ(transport.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(transport.status().message()),
              HasSubstr("certificate verify failed"));
}

TEST(LoadCommandTest, MissingServerAndWrongOptionsHaveTheirExitCodes) {
  LoadOptions options = Short();
  options.warm_up_seconds = -1;
  EXPECT_EQ(Load(FakeServer(LoadedModel()), options).outcome.code,
            ExitCode::kWrongInput);
  const auto client =
      InferenceClient::Create("unix:/nonexistent/relud.sock").value();
  std::istringstream in;
  std::ostringstream out;
  Console console{.in = in, .out = out, .err = out};
  EXPECT_EQ(RunLoadCommand(*client,
                           {.server = "unix:/nonexistent/relud.sock",
                            .timeout = std::chrono::seconds(1)},
                           Short(), console)
                .code,
            ExitCode::kUnreachable);
}

}  // namespace
}  // namespace relu
