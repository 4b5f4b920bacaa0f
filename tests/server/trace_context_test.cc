#include "server/trace_context.h"

#include <optional>
#include <string>

#include "gtest/gtest.h"

namespace relu {
namespace {

constexpr char kTraceId[] = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr char kParentId[] = "00f067aa0ba902b7";

std::string Traceparent(const std::string& version, const std::string& flags) {
  return version + "-" + kTraceId + "-" + kParentId + "-" + flags;
}

TEST(TraceContextTest, PartsAreThoseOfTheHeader) {
  const std::string header = Traceparent("00", "01");
  const std::optional<TraceContext> context = ParseTraceparent(header);
  ASSERT_TRUE(context.has_value());
  EXPECT_EQ(context->trace_id, kTraceId);
  EXPECT_EQ(context->parent_id, kParentId);
  EXPECT_TRUE(context->sampled);
}

TEST(TraceContextTest, SampledIsTheLowestFlagAlone) {
  EXPECT_FALSE(ParseTraceparent(Traceparent("00", "00"))->sampled);
  EXPECT_FALSE(ParseTraceparent(Traceparent("00", "fe"))->sampled);
  EXPECT_TRUE(ParseTraceparent(Traceparent("00", "ff"))->sampled);
}

TEST(TraceContextTest, LaterVersionsMayGoOn) {
  EXPECT_TRUE(ParseTraceparent(Traceparent("cc", "01")).has_value());
  EXPECT_TRUE(ParseTraceparent(Traceparent("cc", "01") + "-more").has_value());
  EXPECT_FALSE(ParseTraceparent(Traceparent("cc", "01") + "more").has_value());
  EXPECT_FALSE(ParseTraceparent(Traceparent("00", "01") + "-more").has_value());
}

TEST(TraceContextTest, WhatIsNoneIsRefused) {
  const std::string good = Traceparent("00", "01");
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == '-' ? '0' : 'G';
    EXPECT_FALSE(ParseTraceparent(bad).has_value()) << bad;
    EXPECT_FALSE(ParseTraceparent(good.substr(0, i)).has_value()) << i;
  }
  EXPECT_FALSE(ParseTraceparent(Traceparent("ff", "01")).has_value());
  EXPECT_FALSE(
      ParseTraceparent("00-" + std::string(32, '0') + "-" + kParentId + "-01")
          .has_value());
  EXPECT_FALSE(ParseTraceparent(std::string("00-") + kTraceId + "-" +
                                std::string(16, '0') + "-01")
                   .has_value());
  EXPECT_FALSE(
      ParseTraceparent("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-"
                       "01")
          .has_value());
}

}  // namespace
}  // namespace relu
