#include "server/json_text.h"

#include <string>

#include "gtest/gtest.h"

#include <nlohmann/json.hpp>

namespace relu {
namespace {

std::string JsonString(std::string_view text) {
  std::string json;
  AppendJsonString(text, json);
  return json;
}

TEST(JsonTextTest, TextIsReadBackAsItWas) {
  std::string every;
  for (char c = 0; c < 127; ++c) {
    every += c;
  }
  for (const std::string& text : {std::string(), every, std::string("Größe")}) {
    EXPECT_EQ(nlohmann::json::parse(JsonString(text)), text);
  }
}

TEST(JsonTextTest, WhatNeedsNoEscapeHasNone) {
  EXPECT_EQ(JsonString("a/b ü"), "\"a/b ü\"");
  EXPECT_EQ(JsonString("\"\\\n\x01"), "\"\\\"\\\\\\n\\u0001\"");
}

TEST(JsonTextTest, WhatIsNoUtf8IsShownAsBytes) {
  EXPECT_EQ(nlohmann::json::parse(JsonString("a\xff")), "a\\xFF");
}

}  // namespace
}  // namespace relu
