#include "server/edge_flags.h"

#include <cstddef>
#include <string>

#include "fmt/format.h"
#include "server/access.h"
#include "server/flags.h"
#include <CLI/CLI.hpp>

namespace relu {
namespace {

// A setting of permissions, in octal digits.
void AddMode(CLI::App& app, const char* flag, int& variable, const char* help) {
  const auto check = [](const std::string& text) {
    constexpr std::size_t kMaxDigits = 4;
    return !text.empty() && text.size() <= kMaxDigits &&
                   text.find_first_not_of("01234567") == std::string::npos &&
                   std::stoi(text, nullptr, 8) <= 0777
               ? std::string()
               : fmt::format("Value {} is not octal permissions, such as 0660",
                             text);
  };
  const auto set = [&variable](const std::string& text) {
    variable = std::stoi(text, nullptr, 8);
  };
  app.add_option_function<std::string>(flag, set, help)
      ->envname(EnvironmentName(flag))
      ->option_text("MODE")
      ->default_str(fmt::format("{:04o}", variable))
      ->check(check)
      ->take_last();
}

void AddHttpFlags(CLI::App& app, EdgeSettings& settings) {
  AddSwitch(app, "--allow-http", settings.allow_http,
            "Serve the V2 REST API over HTTP.");
  Add(app, "--http-address", settings.http_address, "ADDRESS",
      "IP address or host name that HTTP listens on.");
  Add(app, "--http-port", settings.http_port, "PORT",
      "TCP port of HTTP. 0: any free port, which the log names.")
      ->check(CLI::Range(0, 65535));
  Add(app, "--http-threads", settings.http_threads, "COUNT",
      "Threads that serve HTTP and compute. 0: as many as the CPU budget.")
      ->check(CLI::Range(0, 1024));
  Add(app, "--http-max-connections", settings.http_max_connections, "COUNT",
      "Clients that may be connected at the same time to each port and socket "
      "of HTTP, that of the metrics included.")
      ->check(CLI::Range(1, 1'000'000));
  Add(app, "--http-timeout", settings.http_timeout_seconds, "SECONDS",
      "How long one request, or one answer, may be on its way over HTTP.")
      ->check(CLI::Range(0.1, 86400.0));
  Add(app, "--http-idle-timeout", settings.http_idle_seconds, "SECONDS",
      "How long a connection of HTTP may stand without a request.")
      ->check(CLI::Range(0.1, 86400.0));
  Add(app, "--http-unix-socket", settings.http_unix_socket, "PATH",
      "Unix socket that HTTP listens on too. Empty: none.");
  Add(app, "--grpc-unix-socket", settings.grpc_unix_socket, "PATH",
      "Unix socket that gRPC listens on too. Empty: none.");
  AddMode(app, "--unix-socket-mode", settings.unix_socket_mode,
          "Permissions of the Unix sockets, in octal digits: who may write may "
          "connect.");
}

void AddTlsFlags(CLI::App& app, EdgeSettings& settings) {
  Add(app, "--tls-cert", settings.tls.certificate, "FILE",
      "Certificate of the server and of its issuers, as PEM: gRPC, HTTP and "
      "the metrics then speak TLS. Read again when it changes. Empty: no TLS.");
  Add(app, "--tls-key", settings.tls.key, "FILE",
      "Private key of that certificate, as PEM, without a password.");
  Add(app, "--tls-client-ca", settings.tls.client_ca, "FILE",
      "Certificates of authorities, as PEM: clients need a certificate that "
      "one of them has signed. Empty: they need none.");
  AddSwitch(app, "--metrics-tls", settings.metrics_tls,
            "The metrics, and health on their port, speak TLS if there is a "
            "certificate. false: in the clear, for probes that cannot.");
}

void AddAccessFlags(CLI::App& app, EdgeSettings& settings) {
  Add(app, "--inference-tokens", settings.tokens.inference, "FILE",
      "Bearer tokens for inference and metadata, one a line. Read again when "
      "it changes. Empty: no token is asked for.");
  Add(app, "--control-tokens", settings.tokens.control, "FILE",
      "Bearer tokens for what changes the server, one a line.");
  Add(app, "--metrics-tokens", settings.tokens.metrics, "FILE",
      "Bearer tokens for the metrics, one a line.");
  AddChoice<OpenGroups>(
      app, "--open", settings.open_groups,
      {{"none", OpenGroups::kNone},
       {"health", OpenGroups::kHealth},
       {"metadata", OpenGroups::kMetadata}},
      "What is answered without a token of --inference-tokens: nothing, health "
      "checks, or metadata, statistics and reflection too.");
  AddSwitch(app, "--allow-shared-memory", settings.allow_shared_memory,
            "Let clients on this host register POSIX shared memory and have "
            "tensors there. Who may infer may then make the server read and "
            "write any shared memory object that it may open.");
  AddSwitch(app, "--allow-control", settings.allow_control,
            "Take what changes the server (load and unload models, set traces "
            "and logs) on every port and Unix socket.");
  Add(app, "--control-address", settings.control_address, "ADDRESS",
      "IP address or host name that the control ports listen on.");
  Add(app, "--control-grpc-port", settings.control_grpc_port, "PORT",
      "TCP port of gRPC that also takes what changes the server. 0: any free "
      "port. Not given: none.")
      ->check(CLI::Range(0, 65535))
      ->default_str("none");
  Add(app, "--control-http-port", settings.control_http_port, "PORT",
      "TCP port of HTTP that also takes what changes the server. 0: any free "
      "port. Not given: none.")
      ->check(CLI::Range(0, 65535))
      ->default_str("none");
}

}  // namespace

void AddEdgeFlags(CLI::App& app, EdgeSettings& settings) {
  AddHttpFlags(app, settings);
  AddTlsFlags(app, settings);
  AddAccessFlags(app, settings);
}

std::string Contradiction(const EdgeSettings& settings) {
  if (settings.tls.certificate.empty() != settings.tls.key.empty()) {
    return "--tls-cert and --tls-key: expected both or none";
  }
  if (!settings.tls.client_ca.empty() && settings.tls.certificate.empty()) {
    return "--tls-client-ca: expected --tls-cert and --tls-key with it";
  }
  const bool control = settings.allow_control || settings.control_grpc_port ||
                       settings.control_http_port;
  if (control && settings.tokens.control.empty() &&
      !settings.tokens.inference.empty()) {
    return "--inference-tokens guards inference: expected --control-tokens "
           "too, where the server takes what changes it";
  }
  return {};
}

}  // namespace relu
