#include "server/health.h"

#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

class CountingListener final : public Health::Listener {
 public:
  void OnHealthChange() override { ++changes; }
  int changes = 0;
};

TEST(HealthTest, NameThatWasNeverSetIsUnknown) {
  EXPECT_EQ(Health().Get("m"), ServingStatus::kServiceUnknown);
}

TEST(HealthTest, LastStatusSetIsGiven) {
  Health health;
  health.Set("m", true);
  EXPECT_EQ(health.Get("m"), ServingStatus::kServing);
  health.Set("m", false);
  EXPECT_EQ(health.Get("m"), ServingStatus::kNotServing);
}

TEST(HealthTest, AllStopServingButTheException) {
  Health health;
  health.Set("", true);
  health.Set("m", true);
  health.Set("liveness", true);
  health.SetAllNotServing("liveness");
  EXPECT_EQ(health.Get(""), ServingStatus::kNotServing);
  EXPECT_EQ(health.Get("m"), ServingStatus::kNotServing);
  EXPECT_EQ(health.Get("liveness"), ServingStatus::kServing);
}

TEST(HealthTest, ServicesThatAreNotAmongAllAreUnknown) {
  Health health;
  health.Set("gone", true);
  health.SetAll({{"", true}, {"m", false}});
  EXPECT_EQ(health.Get(""), ServingStatus::kServing);
  EXPECT_EQ(health.Get("m"), ServingStatus::kNotServing);
  EXPECT_EQ(health.Get("gone"), ServingStatus::kServiceUnknown);
}

TEST(HealthTest, NothingServesAgainOnceTheServerEnds) {
  Health health;
  health.Set("m", true);
  health.SetAllNotServing("liveness");
  health.Set("m", true);
  health.SetAll({{"m", true}});
  EXPECT_EQ(health.Get("m"), ServingStatus::kNotServing);
}

TEST(HealthTest, ListenerHearsOfEveryChangeUntilItUnsubscribes) {
  Health health;
  CountingListener listener;
  health.Subscribe(listener);
  health.Set("m", true);
  health.SetAll({{"m", true}});
  health.SetAllNotServing("");
  EXPECT_EQ(listener.changes, 3);
  health.Unsubscribe(listener);
  health.Close();
  EXPECT_EQ(listener.changes, 3);
}

TEST(HealthTest, CloseIsRemembered) {
  Health health;
  EXPECT_FALSE(health.closed());
  health.Close();
  EXPECT_TRUE(health.closed());
}

TEST(HealthMessagesTest, RequestNamesTheService) {
  EXPECT_EQ(ParseHealthRequest("\x0a\x03"
                               "abc")
                .value(),
            "abc");
  EXPECT_EQ(ParseHealthRequest("").value(), "");
}

TEST(HealthMessagesTest, UnknownFieldsOfRequestAreIgnored) {
  EXPECT_EQ(ParseHealthRequest("\x10\x07\x0a\x01"
                               "a")
                .value(),
            "a");
}

TEST(HealthMessagesTest, MalformedRequestReturnsInvalidArgument) {
  EXPECT_EQ(ParseHealthRequest("\x0a\x7f").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(HealthMessagesTest, ResponseHoldsTheStatus) {
  EXPECT_EQ(HealthResponse(ServingStatus::kServing), "\x08\x01");
  EXPECT_EQ(HealthResponse(ServingStatus::kServiceUnknown), "\x08\x03");
}

}  // namespace
}  // namespace relu
