#include "client/target.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

TEST(TargetTest, TargetsOfGrpcStayWhatTheyAre) {
  for (const std::string text :
       {"localhost:8001", "dns:///relud:8001", "unix:/run/relud.sock",
        "ipv4:127.0.0.1:8001", "[::1]:8001", "xds:///service"}) {
    const auto target = ParseTarget(text);
    ASSERT_TRUE(target.ok()) << target.status();
    EXPECT_EQ(target->uri, text);
    EXPECT_EQ(target->authority, "");
  }
}

TEST(TargetTest, ListsOfTargetsAreCalledByTheirFirst) {
  const auto target = ParseTarget("ipv4:10.0.0.1:1,10.0.0.2:2");
  EXPECT_EQ(target->uri, "ipv4:10.0.0.1:1,10.0.0.2:2");
  EXPECT_EQ(target->authority, "10.0.0.1:1");
}

TEST(TargetTest, ListsOfHostsAreLookedUp) {
  EXPECT_EQ(ParseTarget("127.0.0.1:1,127.0.0.2:2")->uri,
            "ipv4:127.0.0.1:1,127.0.0.2:2");
  EXPECT_EQ(ParseTarget("127.0.0.1:1,[::1]:2")->uri,
            "ipv6:[::ffff:127.0.0.1]:1,[::1]:2");
  const auto names = ParseTarget("localhost:1,127.0.0.1:2");
  ASSERT_TRUE(names.ok()) << names.status();
  EXPECT_THAT(names->uri,
              AnyOf(StartsWith("ipv4:127.0.0.1:1"), StartsWith("ipv6:")));
  EXPECT_EQ(names->authority, "localhost:1");
}

TEST(TargetTest, RefusesWhatIsNoTarget) {
  EXPECT_EQ(ParseTarget("").status().code(),
            absl::StatusCode::kInvalidArgument);
  for (const std::string text :
       {"a,b:1", "127.0.0.1:1,", "127.0.0.1:1,:2", "127.0.0.1:,127.0.0.1:2"}) {
    const absl::Status status = ParseTarget(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr("of a list"));
  }
  EXPECT_EQ(ParseTarget("127.0.0.1:1,127.0.0.1:no-such-port").status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(TargetTest, RefusesSchemesThatGrpcDoesNotKnow) {
  for (const std::string text :
       {"http://relud:8001", "https://relud", "http://a:1,b:2"}) {
    const absl::Status status = ParseTarget(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("://\" is not known, a gRPC target such as "
                          "\"localhost:8001\" is wanted"));
  }
}

TEST(TargetTest, LocalTargetsAreKnownInEveryForm) {
  for (const char* target :
       {"localhost", "localhost:8001", "127.0.0.1:8001", "127.1.2.3:1", "::1",
        "[::1]:8001", "unix:/run/relud.sock", "unix-abstract:relud",
        "dns:///localhost:8001", "ipv4:127.0.0.1:8001", "ipv6:[::1]:8001",
        "ipv4:127.0.0.1:1,127.0.0.2:2"}) {
    EXPECT_TRUE(IsLocal(target)) << target;
  }
}

TEST(TargetTest, OtherHostsAreNotLocal) {
  for (const char* target :
       {"", "relud:8001", "localhost.example.org:1", "10.0.0.1:8001",
        "[::2]:8001", "dns:///example.org:8001",
        "ipv4:127.0.0.1:1,10.0.0.2:2"}) {
    EXPECT_FALSE(IsLocal(target)) << target;
  }
}

}  // namespace
}  // namespace relu
