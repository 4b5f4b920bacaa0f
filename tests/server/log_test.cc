#include "server/log.h"

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

using testing::HasSubstr;
using testing::Not;

class LogTest : public testing::Test {
 protected:
  ~LogTest() override { EXPECT_TRUE(SetLogSettings({}).ok()); }

  static std::string ErrorOutput(LogLevel least) {
    testing::internal::CaptureStderr();
    EXPECT_TRUE(SetLogSettings(LogFrom(least)).ok());
    Log(LogLevel::kTrace, "a trace");
    Log(LogLevel::kDebug, "a debug");
    Log(LogLevel::kInfo, "an info");
    Log(LogLevel::kWarning, "a warning {} %s");
    Log(LogLevel::kError, "an error");
    return testing::internal::GetCapturedStderr();
  }
};

TEST_F(LogTest, LinesGoToStandardErrorFromTheLevelOn) {
  EXPECT_THAT(ErrorOutput(LogLevel::kTrace), HasSubstr(" trace   a trace\n"));
  EXPECT_THAT(
      ErrorOutput(LogLevel::kDebug),
      AllOf(HasSubstr(" debug   a debug\n"), Not(HasSubstr("a trace"))));
  EXPECT_THAT(
      ErrorOutput(LogLevel::kInfo),
      AllOf(HasSubstr(" info    an info\n"), Not(HasSubstr("a debug"))));
  EXPECT_THAT(ErrorOutput(LogLevel::kWarning),
              AllOf(HasSubstr(" warning a warning {} %s\n"),
                    Not(HasSubstr("an info"))));
  EXPECT_THAT(
      ErrorOutput(LogLevel::kError),
      AllOf(HasSubstr(" error   an error\n"), Not(HasSubstr("a warning"))));
}

TEST_F(LogTest, OffLogsNothing) { EXPECT_EQ(ErrorOutput(LogLevel::kOff), ""); }

TEST_F(LogTest, FieldsAreLogged) {
  testing::internal::CaptureStderr();

  Log(LogLevel::kInfo, "loaded",
      {{"model", std::string_view("m")}, {"version", std::int64_t{3}}});

  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr(" loaded model=m version=3\n"));
}

TEST_F(LogTest, LinesAreAppendedToTheFile) {
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() /
      ("relud-log-test-" + std::to_string(getpid()));
  LogSettings settings;
  settings.file = file.string();
  ASSERT_TRUE(SetLogSettings(settings).ok());
  Log(LogLevel::kInfo, "first");
  ASSERT_TRUE(SetLogSettings(settings).ok());
  Log(LogLevel::kInfo, "second");

  EXPECT_EQ(std::filesystem::status(file).permissions() &
                std::filesystem::perms::others_all,
            std::filesystem::perms::none);
  std::ifstream stream(file);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  std::filesystem::remove(file);
  EXPECT_THAT(text, testing::MatchesRegex(".* info    first\n.* second\n"));
  EXPECT_EQ(GetLogSettings().file, file.string());
}

TEST_F(LogTest, FileThatCannotBeOpenedReturnsInvalidArgument) {
  LogSettings settings;
  settings.file = "/nonexistent/folder/log";
  settings.info = false;

  const absl::Status status = SetLogSettings(settings);

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("/nonexistent/folder/log"));
  EXPECT_TRUE(GetLogSettings().info);
}

}  // namespace
}  // namespace relu
