#include "core/relu/compaction_box.h"

#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/relu/domain_rule.h"
#include "core/relu/leaf_box.h"
#include "core/relu/piecewise_network.h"
#include "core/tensor/data_type.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

// Six floats x, two bytes c, one byte d.
PiecewiseNetwork ThreeInputs() {
  PiecewiseNetwork network;
  network.inputs = {{.name = "x",
                     .type = DataType::kFp32,
                     .row_shape = {6},
                     .first_element = 0,
                     .elements = 6},
                    {.name = "c",
                     .type = DataType::kInt8,
                     .row_shape = {2},
                     .first_element = 6,
                     .elements = 2},
                    {.name = "d",
                     .type = DataType::kInt8,
                     .row_shape = {1},
                     .first_element = 8,
                     .elements = 1}};
  network.input_elements = 9;
  return network;
}

InputBox BoxOfThree() {
  constexpr double kLargest = std::numeric_limits<float>::max();
  return {.low = {0.1, 0.1, 0, 0, 2, -kLargest, -128, 3, -128},
          .high = {0.5, 0.5, 1, 1, 2, kLargest, 127, 3, 127},
          .one_hot = {{.first = 2, .size = 2}}};
}

TEST(CompactionBoxTest, MetadataHasTheRulesOfEachInput) {
  EXPECT_THAT(MetadataOfBox(ThreeInputs(), BoxOfThree()),
              ElementsAre(Pair("relud.compact.box.c", "1: 3"),
                          Pair("relud.compact.box.x",
                               "0-1: [0.1, 0.5]; 2-3: one_hot; 4: 2; 5: [-inf, "
                               "inf]")));
}

TEST(CompactionBoxTest, MetadataIsReadAsItIsWritten) {
  const auto rules = BoxOfMetadata(MetadataOfBox(ThreeInputs(), BoxOfThree()));
  ASSERT_TRUE(rules.ok()) << rules.status();
  ASSERT_EQ(rules->size(), 2U);
  EXPECT_EQ((*rules)[0].input, "c");
  EXPECT_EQ((*rules)[1].input, "x");
  ASSERT_EQ((*rules)[1].rules.size(), 4U);
  EXPECT_EQ((*rules)[1].rules[0].high, 0.5);
  EXPECT_EQ((*rules)[1].rules[1].kind, DomainRule::Kind::kOneHot);
}

TEST(CompactionBoxTest, OtherMetadataIsNone) {
  const auto rules =
      BoxOfMetadata({{"relud.compact", "3 neurons"}, {"relud.d", "1"}});
  ASSERT_TRUE(rules.ok()) << rules.status();
  EXPECT_TRUE(rules->empty());
}

TEST(CompactionBoxTest, WhatIsNoBoxReturnsInvalidArgument) {
  const auto error_of = [](const OnnxMetadata& metadata) {
    const absl::Status status = BoxOfMetadata(metadata).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  EXPECT_THAT(
      error_of({{"relud.compact.box.x", "0: onehot"}}),
      HasSubstr("metadata \"relud.compact.box.x\": rule \"0: onehot\""));
  // As it was written once.
  EXPECT_THAT(error_of({{"relud.compact.box", "{}"}}),
              HasSubstr("\"relud.compact.box\" names no input"));
}

}  // namespace
}  // namespace relu
