#include "server/log.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <nlohmann/json.hpp>

namespace relu {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kTime[] = "2026-01-31T23:59:59.000001Z";

TEST(LogTest, TextLineHoldsTimeLevelAndMessage) {
  EXPECT_EQ(FormatLogLine(LogFormat::kText, LogLevel::kInfo, kTime, "ready"),
            "2026-01-31T23:59:59.000001Z info    ready");
}

TEST(LogTest, TextLineStaysOneLine) {
  EXPECT_EQ(FormatLogLine(LogFormat::kText, LogLevel::kError, kTime,
                          "model 'a\nb' is bad"),
            "2026-01-31T23:59:59.000001Z error   model 'a\\nb' is bad");
}

TEST(LogTest, JsonLineHoldsTimeLevelAndMessageInThatOrder) {
  EXPECT_EQ(FormatLogLine(LogFormat::kJson, LogLevel::kWarning, kTime, "slow"),
            "{\"time\":\"2026-01-31T23:59:59.000001Z\",\"level\":\"warning\","
            "\"message\":\"slow\"}");
}

TEST(LogTest, JsonLineEscapesWhatClientsMadeUp) {
  const std::string message = "model 'a\",\"level\":\"x\n\xff\\' {é}";
  const std::string line =
      FormatLogLine(LogFormat::kJson, LogLevel::kInfo, kTime, message);
  const nlohmann::json parsed = nlohmann::json::parse(line);
  EXPECT_EQ(parsed.at("level"), "info");
  EXPECT_EQ(parsed.at("message"),
            "model 'a\",\"level\":\"x\\n\\xFF\\' {\\xC3\\xA9}");
}

TEST(LogTest, LinesGoToStandardErrorFromTheLevelOn) {
  testing::internal::CaptureStderr();
  InitLog({.format = LogFormat::kText, .level = LogLevel::kWarning});
  Log(LogLevel::kInfo, "too little");
  Log(LogLevel::kWarning, "enough {} %s");
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr(" warning enough {} %s\n"),
                    Not(HasSubstr("too little"))));
}

TEST(LogTest, OffLogsNothing) {
  testing::internal::CaptureStderr();
  InitLog({.format = LogFormat::kJson, .level = LogLevel::kOff});
  Log(LogLevel::kError, "bad");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace relu
