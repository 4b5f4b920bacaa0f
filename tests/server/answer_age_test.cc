#include "server/answer_age.h"

#include <vector>

#include "gtest/gtest.h"

namespace relu {
namespace {

// What the next looks find.
std::vector<bool> Look(AnswerAge& age, int looks) {
  std::vector<bool> late;
  for (int i = 0; i < looks; ++i) {
    late.push_back(age.LookFindsLate());
  }
  return late;
}

TEST(AnswerAgeTest, NothingOnItsWayIsNeverLate) {
  AnswerAge age;
  EXPECT_EQ(Look(age, 6), std::vector<bool>(6, false));
}

TEST(AnswerAgeTest, AnAnswerIsLateOnce) {
  AnswerAge age;
  age.Start();
  EXPECT_EQ(Look(age, 6),
            (std::vector<bool>{false, false, false, true, false, false}));
}

TEST(AnswerAgeTest, AnAnswerThatHasLeftIsNotLate) {
  AnswerAge age;
  age.Start();
  Look(age, 3);
  age.End();
  EXPECT_EQ(Look(age, 6), std::vector<bool>(6, false));
}

TEST(AnswerAgeTest, TheNextAnswerHasAllItsTime) {
  AnswerAge age;
  age.Start();
  Look(age, 3);
  age.Start();
  EXPECT_EQ(Look(age, 4), (std::vector<bool>{false, false, false, true}));
}

}  // namespace
}  // namespace relu
