#include "server/edge_flags.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "server/config.h"

namespace relu {
namespace {

using testing::HasSubstr;

CommandLine ParseFlags(std::vector<const char*> flags) {
  flags.insert(flags.begin(), {"relud", "--model-repository=m"});
  return ParseCommandLine(static_cast<int>(flags.size()), flags.data());
}

EdgeSettings Settings(std::vector<const char*> flags) {
  const CommandLine line = ParseFlags(std::move(flags));
  EXPECT_FALSE(line.exit_code.has_value()) << line.text;
  return line.options.edge;
}

std::string UsageError(std::vector<const char*> flags) {
  const CommandLine line = ParseFlags(std::move(flags));
  EXPECT_EQ(line.exit_code, kExitUsage);
  return line.text;
}

TEST(EdgeFlagsTest, DefaultsServeHttpInTheClearWithoutControl) {
  const EdgeSettings settings = Settings({});
  EXPECT_TRUE(settings.allow_http);
  EXPECT_EQ(settings.http_port, 8000);
  EXPECT_TRUE(settings.tls.certificate.empty());
  EXPECT_TRUE(settings.tokens.inference.empty());
  EXPECT_EQ(settings.open_groups, OpenGroups::kHealth);
  EXPECT_FALSE(settings.allow_shared_memory);
  EXPECT_FALSE(settings.allow_control);
  EXPECT_FALSE(settings.control_grpc_port.has_value());
  EXPECT_FALSE(settings.control_http_port.has_value());
  EXPECT_EQ(settings.unix_socket_mode, 0600);
}

TEST(EdgeFlagsTest, FlagsAreRead) {
  const EdgeSettings settings = Settings(
      {"--http-port=0", "--http-threads=3", "--http-timeout=1.5",
       "--http-unix-socket=/h", "--grpc-unix-socket=/g",
       "--unix-socket-mode=0660", "--tls-cert=c", "--tls-key=k",
       "--tls-client-ca=a", "--metrics-tls=false", "--inference-tokens=i",
       "--control-tokens=x", "--metrics-tokens=y", "--open=metadata",
       "--allow-shared-memory=true", "--allow-control=true",
       "--control-grpc-port=1", "--control-http-port=0"});
  EXPECT_EQ(settings.http_port, 0);
  EXPECT_EQ(settings.http_threads, 3);
  EXPECT_TRUE(settings.allow_shared_memory);
  EXPECT_EQ(settings.http_timeout_seconds, 1.5);
  EXPECT_EQ(settings.http_unix_socket, "/h");
  EXPECT_EQ(settings.grpc_unix_socket, "/g");
  EXPECT_EQ(settings.unix_socket_mode, 0660);
  EXPECT_EQ(settings.tls.certificate, "c");
  EXPECT_EQ(settings.tls.key, "k");
  EXPECT_EQ(settings.tls.client_ca, "a");
  EXPECT_FALSE(settings.metrics_tls);
  EXPECT_EQ(settings.tokens.inference, "i");
  EXPECT_EQ(settings.tokens.control, "x");
  EXPECT_EQ(settings.tokens.metrics, "y");
  EXPECT_EQ(settings.open_groups, OpenGroups::kMetadata);
  EXPECT_TRUE(settings.allow_control);
  EXPECT_EQ(settings.control_grpc_port, 1);
  EXPECT_EQ(settings.control_http_port, 0);
}

TEST(EdgeFlagsTest, PermissionsAreOctal) {
  EXPECT_EQ(Settings({"--unix-socket-mode=660"}).unix_socket_mode, 0660);
  for (const char* bad :
       {"--unix-socket-mode=0888", "--unix-socket-mode=rw",
        "--unix-socket-mode=1777", "--unix-socket-mode=07777777"}) {
    EXPECT_THAT(UsageError({bad}), HasSubstr("octal")) << bad;
  }
}

TEST(EdgeFlagsTest, HalfOfACertificateIsRefused) {
  EXPECT_THAT(UsageError({"--tls-cert=c"}), HasSubstr("--tls-key"));
  EXPECT_THAT(UsageError({"--tls-key=k"}), HasSubstr("--tls-cert"));
  EXPECT_THAT(UsageError({"--tls-client-ca=a"}), HasSubstr("--tls-cert"));
}

TEST(EdgeFlagsTest, ControlIsNotLeftOpenBesideGuardedInference) {
  for (const char* control : {"--allow-control=true", "--control-grpc-port=1",
                              "--control-http-port=1"}) {
    EXPECT_THAT(UsageError({control, "--inference-tokens=i"}),
                HasSubstr("--control-tokens"));
    Settings({control, "--inference-tokens=i", "--control-tokens=c"});
    Settings({control});
  }
}

TEST(EdgeFlagsTest, HelpNamesDefaults) {
  const std::string help = ParseFlags({"--help"}).text;
  EXPECT_THAT(help, HasSubstr("--http-port=PORT"));
  EXPECT_THAT(help, HasSubstr("Default: 8000."));
  EXPECT_THAT(help, HasSubstr("--unix-socket-mode=MODE"));
  EXPECT_THAT(help, HasSubstr("Default: 0600."));
  EXPECT_THAT(help, HasSubstr("Default: none."));
}

}  // namespace
}  // namespace relu
