#include "server/trace_handler.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "proto/inference.pb.h"
#include "server/access_log.h"

namespace relu {
namespace {

using testing::HasSubstr;

class TraceHandlerTest : public testing::Test {
 protected:
  void Set(const std::string& name, const std::string& value) {
    (*request_.mutable_settings())[name].add_value(value);
  }

  absl::Status Update() {
    response_.Clear();
    const absl::Status status =
        UpdateTraceSettings(request_, access_log_, response_);
    request_.Clear();
    return status;
  }

  std::string Setting(const std::string& name) {
    const auto& settings = response_.settings();
    return settings.contains(name) && settings.at(name).value_size() == 1
               ? settings.at(name).value(0)
               : "none";
  }

  int LinesOfHundred() {
    int lines = 0;
    for (int i = 0; i < 100; ++i) {
      lines += access_log_.Wants(absl::StatusCode::kOk) ? 1 : 0;
    }
    return lines;
  }

  AccessLog access_log_{{.share = 0.5}};
  inference::TraceSettingRequest request_;
  inference::TraceSettingResponse response_;
};

TEST_F(TraceHandlerTest, NoSettingIsAQuestion) {
  ASSERT_TRUE(Update().ok());
  EXPECT_EQ(response_.settings().size(), 4U);
  EXPECT_EQ(Setting("trace_level"), "TIMESTAMPS");
  EXPECT_EQ(Setting("trace_rate"), "2");
  EXPECT_EQ(Setting("trace_count"), "-1");
  EXPECT_EQ(Setting("trace_mode"), "log");
  EXPECT_EQ(LinesOfHundred(), 50);
}

TEST_F(TraceHandlerTest, QuestionOfAModelIsAnsweredForAll) {
  request_.set_model_name("m");
  ASSERT_TRUE(Update().ok());
  EXPECT_EQ(Setting("trace_rate"), "2");
}

TEST_F(TraceHandlerTest, RateAndLevelTakeEffect) {
  Set("trace_rate", "10");
  ASSERT_TRUE(Update().ok());
  EXPECT_EQ(Setting("trace_rate"), "10");
  EXPECT_EQ(LinesOfHundred(), 10);
  Set("trace_level", "OFF");
  ASSERT_TRUE(Update().ok());
  EXPECT_EQ(Setting("trace_level"), "OFF");
  EXPECT_EQ(LinesOfHundred(), 0);
  Set("trace_level", "TIMESTAMPS");
  ASSERT_TRUE(Update().ok());
  EXPECT_EQ(Setting("trace_rate"), "10");
  EXPECT_EQ(LinesOfHundred(), 10);
}

TEST_F(TraceHandlerTest, SettingWithoutAValueIsThatOfTheStart) {
  Set("trace_rate", "10");
  Set("trace_level", "OFF");
  ASSERT_TRUE(Update().ok());
  (*request_.mutable_settings())["trace_rate"];
  (*request_.mutable_settings())["trace_level"];
  ASSERT_TRUE(Update().ok());
  EXPECT_EQ(LinesOfHundred(), 50);
}

TEST_F(TraceHandlerTest, WrongValuesAreInvalidAndChangeNothing) {
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"trace_rate", "0"},
                                                        {"trace_rate", "-1"},
                                                        {"trace_rate", "ten"},
                                                        {"trace_rate", "1 "},
                                                        {"trace_level", "MAX"},
                                                        {"no_setting", "1"}}) {
    Set("trace_level", "OFF");
    Set(name, value);
    const absl::Status status = Update();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_THAT(std::string(status.message()), HasSubstr(name));
  }
  EXPECT_EQ(LinesOfHundred(), 50);
}

TEST_F(TraceHandlerTest, WhatThereIsNotIsUnimplemented) {
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{
           {"trace_level", "TENSORS"},
           {"trace_file", "trace.json"},
           {"trace_count", "5"},
           {"log_frequency", "10"},
           {"trace_mode", "opentelemetry"}}) {
    Set(name, value);
    const absl::Status status = Update();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented) << name;
    EXPECT_THAT(std::string(status.message()), HasSubstr(name));
  }
  request_.set_model_name("m");
  Set("trace_rate", "10");
  EXPECT_EQ(Update().code(), absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace relu
