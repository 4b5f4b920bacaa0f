#include "server/log_line.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <nlohmann/json.hpp>

namespace relu {
namespace {

// 2026-01-31T23:59:59.000001Z
constexpr std::chrono::system_clock::time_point kLogTime{
    std::chrono::seconds(1769903999) + std::chrono::microseconds(1)};

std::vector<LogField> ThreeFields() {
  return {
      {"model", std::string_view("m")}, {"rows", std::int64_t{3}}, {"ms", 0.5}};
}

TEST(LogLineTest, TextLineHoldsTimeLevelAndMessage) {
  EXPECT_EQ(FormatLogLine(LogFormat::kText, LogLevel::kInfo, kLogTime, "ready"),
            "2026-01-31T23:59:59.000001Z info    ready");
}

TEST(LogLineTest, TextLineStaysOneLine) {
  EXPECT_EQ(FormatLogLine(LogFormat::kText, LogLevel::kError, kLogTime,
                          "model 'a\nb' is bad"),
            "2026-01-31T23:59:59.000001Z error   model 'a\\nb' is bad");
}

TEST(LogLineTest, FieldsStandBehindTheMessage) {
  EXPECT_EQ(FormatLogLine(LogFormat::kText, LogLevel::kInfo, kLogTime, "done",
                          ThreeFields()),
            "2026-01-31T23:59:59.000001Z info    done model=m rows=3 ms=0.5");
}

TEST(LogLineTest, FieldCannotForgeAnother) {
  const std::vector<LogField> fields = {
      {"id", std::string_view("a code=OK \"\\\n")},
      {"empty", std::string_view("")}};

  EXPECT_EQ(FormatLogLine(LogFormat::kText, LogLevel::kInfo, kLogTime, "done",
                          fields),
            "2026-01-31T23:59:59.000001Z info    done "
            "id=\"a code=OK \\\"\\\\\\\\n\" empty=\"\"");
}

TEST(LogLineTest, JsonLineHoldsTimeLevelAndMessageInThatOrder) {
  EXPECT_EQ(
      FormatLogLine(LogFormat::kJson, LogLevel::kWarning, kLogTime, "slow"),
      "{\"time\":\"2026-01-31T23:59:59.000001Z\",\"level\":\"warning\","
      "\"message\":\"slow\"}");
}

TEST(LogLineTest, JsonLineCarriesFieldsWithTheirTypes) {
  const nlohmann::json line = nlohmann::json::parse(FormatLogLine(
      LogFormat::kJson, LogLevel::kInfo, kLogTime, "done", ThreeFields()));

  EXPECT_EQ(line.at("model"), "m");
  EXPECT_EQ(line.at("rows"), 3);
  EXPECT_EQ(line.at("ms"), 0.5);
}

TEST(LogLineTest, JsonLineEscapesWhatClientsMadeUp) {
  const std::string message = "model 'a\",\"level\":\"x\n\xff\\' {é}";
  const nlohmann::json line = nlohmann::json::parse(
      FormatLogLine(LogFormat::kJson, LogLevel::kInfo, kLogTime, message));
  EXPECT_EQ(line.at("level"), "info");
  EXPECT_EQ(line.at("message"),
            "model 'a\",\"level\":\"x\\n\\xFF\\' {\\xC3\\xA9}");
}

TEST(LogLineTest, TritonLineHasItsPrefix) {
  EXPECT_THAT(
      FormatLogLine(LogFormat::kTriton, LogLevel::kError, kLogTime, "bad"),
      testing::MatchesRegex("E0131 23:59:59\\.000001 [0-9]+ relud\\] bad"));
}

}  // namespace
}  // namespace relu
