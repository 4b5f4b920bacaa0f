#include "server/log_handler.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "proto/inference.pb.h"
#include "server/log.h"

namespace relu {
namespace {

class LogHandlerTest : public testing::Test {
 protected:
  ~LogHandlerTest() override { EXPECT_TRUE(SetLogSettings({}).ok()); }

  inference::LogSettingsRequest request_;
  inference::LogSettingsResponse response_;
};

TEST_F(LogHandlerTest, NoSettingIsAQuestion) {
  ASSERT_TRUE(UpdateLogSettings(request_, response_).ok());

  const auto& settings = response_.settings();
  EXPECT_EQ(settings.size(), 6U);
  EXPECT_EQ(settings.at("log_file").string_param(), "");
  EXPECT_TRUE(settings.at("log_info").bool_param());
  EXPECT_TRUE(settings.at("log_warning").bool_param());
  EXPECT_TRUE(settings.at("log_error").bool_param());
  EXPECT_EQ(settings.at("log_verbose_level").uint32_param(), 0U);
  EXPECT_EQ(settings.at("log_format").string_param(), "ISO8601");
}

TEST_F(LogHandlerTest, SettingsThatAreNamedTakeEffect) {
  (*request_.mutable_settings())["log_info"].set_bool_param(false);
  (*request_.mutable_settings())["log_verbose_level"].set_uint32_param(7);
  (*request_.mutable_settings())["log_format"].set_string_param("JSON");

  ASSERT_TRUE(UpdateLogSettings(request_, response_).ok());

  EXPECT_FALSE(response_.settings().at("log_info").bool_param());
  EXPECT_EQ(response_.settings().at("log_format").string_param(), "JSON");
  testing::internal::CaptureStderr();
  Log(LogLevel::kInfo, "not this");
  Log(LogLevel::kTrace, "this");
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log,
              testing::HasSubstr("\"level\":\"trace\",\"message\":\"this\""));
  EXPECT_THAT(log, testing::Not(testing::HasSubstr("not this")));
}

TEST_F(LogHandlerTest, LinesOfTritonsFormatLookLikeIts) {
  (*request_.mutable_settings())["log_format"].set_string_param("default");
  ASSERT_TRUE(UpdateLogSettings(request_, response_).ok());

  testing::internal::CaptureStderr();
  Log(LogLevel::kWarning, "slow");
  EXPECT_THAT(
      testing::internal::GetCapturedStderr(),
      testing::MatchesRegex("W[0-9]+ [0-9:]+\\.[0-9]+ [0-9]+ relud\\] slow\n"));
}

TEST_F(LogHandlerTest, WrongSettingReturnsInvalidArgumentAndChangesNothing) {
  const auto code = [](const std::string& name, const auto& set) {
    inference::LogSettingsRequest request;
    (*request.mutable_settings())["log_error"].set_bool_param(false);
    set((*request.mutable_settings())[name]);
    inference::LogSettingsResponse response;
    return UpdateLogSettings(request, response).code();
  };
  const auto text = [](auto& value) { value.set_string_param("XML"); };
  const auto number = [](auto& value) { value.set_uint32_param(1); };

  for (const char* name :
       {"log_info", "log_verbose_level", "log_format", "x"}) {
    EXPECT_EQ(code(name, text), absl::StatusCode::kInvalidArgument) << name;
  }
  EXPECT_EQ(code("log_warning", number), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code("log_format", number), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(GetLogSettings().error);
}

TEST_F(LogHandlerTest, FileCannotBeChosenByAClient) {
  (*request_.mutable_settings())["log_file"].set_string_param("/etc/passwd");

  const absl::Status status = UpdateLogSettings(request_, response_);

  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(GetLogSettings().file, "");
}

}  // namespace
}  // namespace relu
