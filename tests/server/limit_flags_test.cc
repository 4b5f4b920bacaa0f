#include "server/limit_flags.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "server/config.h"

namespace relu {
namespace {

using testing::HasSubstr;

CommandLine ParseLimitFlags(std::vector<const char*> flags) {
  flags.insert(flags.begin(), {"relud", "--model-repository=m"});
  return ParseCommandLine(static_cast<int>(flags.size()), flags.data());
}

TEST(LimitFlagsTest, DefaultsBoundWhatClientsCanTake) {
  const LimitSettings limits = ParseLimitFlags({}).options.limits;
  EXPECT_EQ(limits.max_message_bytes, 256 << 20);
  EXPECT_EQ(limits.max_in_flight_bytes, 512 << 20);
  EXPECT_EQ(limits.max_stream_requests, 256);
  EXPECT_EQ(limits.max_stream_bytes, 64 << 20);
  EXPECT_EQ(limits.grpc_buffer_bytes, 512 << 20);
  EXPECT_EQ(limits.grpc_max_connections, 10'000);
  EXPECT_EQ(limits.grpc_max_streams, 1024);
  EXPECT_EQ(limits.grpc_answer_timeout_seconds, 60);
  EXPECT_EQ(limits.grpc_keepalive_seconds, 60);
  EXPECT_EQ(limits.grpc_keepalive_timeout_seconds, 20);
  EXPECT_EQ(limits.grpc_max_connection_age_seconds, 0);
  EXPECT_EQ(limits.grpc_max_connection_idle_seconds, 0);
}

TEST(LimitFlagsTest, FlagsAreRead) {
  const CommandLine line = ParseLimitFlags(
      {"--max-message-bytes=2147483647", "--max-in-flight-bytes=5000000000",
       "--max-stream-requests=7", "--max-stream-bytes=4096",
       "--grpc-buffer-bytes=1048576", "--grpc-max-connections=8",
       "--grpc-max-streams=9", "--grpc-answer-timeout=0.5",
       "--grpc-keepalive-time=0", "--grpc-keepalive-timeout=2.5",
       "--grpc-max-connection-age=300", "--grpc-max-connection-idle=60"});
  ASSERT_FALSE(line.exit_code.has_value()) << line.text;
  const LimitSettings& limits = line.options.limits;
  EXPECT_EQ(limits.max_message_bytes, 2147483647);
  EXPECT_EQ(limits.max_in_flight_bytes, 5'000'000'000);
  EXPECT_EQ(limits.max_stream_requests, 7);
  EXPECT_EQ(limits.max_stream_bytes, 4096);
  EXPECT_EQ(limits.grpc_buffer_bytes, 1 << 20);
  EXPECT_EQ(limits.grpc_max_connections, 8);
  EXPECT_EQ(limits.grpc_max_streams, 9);
  EXPECT_EQ(limits.grpc_answer_timeout_seconds, 0.5);
  EXPECT_EQ(limits.grpc_keepalive_seconds, 0);
  EXPECT_EQ(limits.grpc_keepalive_timeout_seconds, 2.5);
  EXPECT_EQ(limits.grpc_max_connection_age_seconds, 300);
  EXPECT_EQ(limits.grpc_max_connection_idle_seconds, 60);
}

TEST(LimitFlagsTest, ValuesOutOfRangeAreRefused) {
  for (const char* flag :
       {"--max-message-bytes=10", "--max-in-flight-bytes=0",
        "--max-stream-requests=0", "--max-stream-bytes=1023",
        "--grpc-buffer-bytes=1000", "--grpc-max-connections=0",
        "--grpc-max-streams=0", "--grpc-answer-timeout=-1",
        "--grpc-answer-timeout=0.05", "--grpc-keepalive-time=-1",
        "--grpc-keepalive-timeout=0", "--grpc-max-connection-age=never",
        "--grpc-max-connection-idle=-1"}) {
    const CommandLine line = ParseLimitFlags({flag});
    EXPECT_EQ(line.exit_code, kExitUsage) << flag;
    const std::string text = flag;
    EXPECT_THAT(line.text, HasSubstr(text.substr(0, text.find('='))));
  }
}

}  // namespace
}  // namespace relu
