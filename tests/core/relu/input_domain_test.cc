#include "core/relu/input_domain.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/base/check.h"
#include "core/graph/elements.h"
#include "core/plan/compiled_model.h"
#include "core/relu/domain_rule.h"
#include "core/relu/leaf_box.h"
#include "core/relu/piecewise_network.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"
#include "fmt/format.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr double kInfiniteBound = std::numeric_limits<double>::infinity();
constexpr double kNanValue = std::numeric_limits<double>::quiet_NaN();

TensorSignature SignatureOf(std::string name, DataType type,
                            std::int64_t elements) {
  return {.name = std::move(name),
          .type = type,
          .shape = {-1, elements},
          .row_axis = 0,
          .row_shape = {elements},
          .row_bytes = static_cast<std::size_t>(elements) * DataTypeSize(type)};
}

InputRules RulesOf(std::string input, std::string_view text) {
  absl::StatusOr<std::vector<DomainRule>> rules = ParseDomainRules(text);
  CHECK(rules.ok());
  return {.input = std::move(input), .rules = *std::move(rules)};
}

// Of one input "x" of 6 elements.
InputDomain DomainOf(std::string_view text, DataType type = DataType::kFp32) {
  const TensorSignature signature = SignatureOf("x", type, 6);
  const InputRules rules = RulesOf("x", text);
  absl::StatusOr<InputDomain> domain =
      InputDomain::Create({&rules, 1}, {&signature, 1});
  EXPECT_TRUE(domain.ok()) << domain.status();
  CHECK(domain.ok());
  return *std::move(domain);
}

std::vector<OutsideValue> OutsideOf(const InputDomain& domain,
                                    const Tensor& rows) {
  std::vector<OutsideValue> found;
  domain.VisitOutside(
      0, rows.shape()[0], rows.bytes().data(),
      [&](const OutsideValue& outside) { found.push_back(outside); });
  return found;
}

std::vector<std::string> TextsOf(const InputDomain& domain,
                                 const Tensor& rows) {
  std::vector<std::string> texts;
  for (const OutsideValue& outside : OutsideOf(domain, rows)) {
    texts.push_back(domain.Text(outside));
  }
  return texts;
}

Tensor DomainRows(const std::vector<double>& values,
                  DataType type = DataType::kFp32) {
  return FromDoubles(type, {static_cast<std::int64_t>(values.size() / 6), 6},
                     values);
}

std::string DomainErrorOf(std::string_view input, std::string_view text,
                          DataType type = DataType::kFp32) {
  const TensorSignature signature = SignatureOf("x", type, 6);
  const InputRules rules = RulesOf(std::string(input), text);
  const absl::Status status =
      InputDomain::Create({&rules, 1}, {&signature, 1}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(InputDomainTest, EmptyDomainHoldsEverything) {
  const InputDomain domain;
  EXPECT_TRUE(domain.empty());
  EXPECT_THAT(
      OutsideOf(domain, DomainRows({kNanValue, kInfiniteBound, 0, 0, 0, 0})),
      IsEmpty());
}

TEST(InputDomainTest, BoundsBelongToTheDomain) {
  const InputDomain domain = DomainOf("[-1, 2]");
  EXPECT_THAT(OutsideOf(domain, DomainRows({-1, 2, 0, -0.0, 1.5, -0.5})),
              IsEmpty());
}

TEST(InputDomainTest, EveryValueOutsideIsToldWithItsRowAndElement) {
  const InputDomain domain = DomainOf("0: [18, 100]; 3-4: [-1, 1]; 5: 7");
  EXPECT_THAT(
      TextsOf(domain, DomainRows({20, 1e9, -5, 0, 0, 7,  //
                                  200, 0, 0, -1.5, kNanValue, 7.5})),
      ElementsAre("input \"x\": row 1, element 0 is 200, the domain of x[0] is "
                  "[18, 100]",
                  "input \"x\": row 1, element 3 is -1.5, the domain of x[3-4] "
                  "is [-1, 1]",
                  "input \"x\": row 1, element 4 is nan, the domain of x[3-4] "
                  "is [-1, 1]",
                  "input \"x\": row 1, element 5 is 7.5, the domain of x[5] is "
                  "7"));
}

TEST(InputDomainTest, InfinityIsOutsideOfAnUnboundedInterval) {
  const InputDomain domain = DomainOf("0: [0, inf]; 1: [-inf, inf]");
  const float largest = std::numeric_limits<float>::max();
  EXPECT_THAT(OutsideOf(domain, DomainRows({largest, -largest, 0, 0, 0, 0})),
              IsEmpty());
  EXPECT_EQ(OutsideOf(domain,
                      DomainRows({kInfiniteBound, -kInfiniteBound, 0, 0, 0, 0}))
                .size(),
            2U);
}

TEST(InputDomainTest, ElementsWithoutARuleMayBeAnything) {
  const InputDomain domain = DomainOf("1: [0, 1]");
  EXPECT_THAT(OutsideOf(domain, DomainRows({kNanValue, 0.5, kInfiniteBound,
                                            -kInfiniteBound, 1e30, kNanValue})),
              IsEmpty());
}

TEST(InputDomainTest, OneHotGroupHasOneOneAndElseZeros) {
  const InputDomain domain = DomainOf("1-4: one_hot");
  EXPECT_THAT(OutsideOf(domain, DomainRows({9, 0, 0, 1, 0, 9,  //
                                            9, 1, 0, 0, 0, 9})),
              IsEmpty());
  EXPECT_THAT(
      TextsOf(domain, DomainRows({9, 0,   0, 0,         0, 9,  //
                                  9, 0,   1, 0,         1, 9,  //
                                  9, 0.5, 1, 0,         0, 9,  //
                                  9, 1,   0, kNanValue, 0, 9})),
      ElementsAre("input \"x\": row 0, element 1 is 0 as all others are, the "
                  "domain of x[1-4] is one_hot",
                  "input \"x\": row 1, element 4 is 1 as another is, the "
                  "domain of x[1-4] is one_hot",
                  "input \"x\": row 2, element 1 is 0.5, the domain of x[1-4] "
                  "is one_hot",
                  "input \"x\": row 3, element 3 is nan, the domain of x[1-4] "
                  "is one_hot"));
}

TEST(InputDomainTest, BoundsAreRoundedAsValuesAre) {
  // The float that is nearest to 0.1 is above it.
  EXPECT_THAT(OutsideOf(DomainOf("[0, 0.1]"), DomainRows({0.1, 0, 0, 0, 0, 0})),
              IsEmpty());
  EXPECT_THAT(OutsideOf(DomainOf("0: 0.1", DataType::kFp16),
                        DomainRows({0.1, 0, 0, 0, 0, 0}, DataType::kFp16)),
              IsEmpty());
}

TEST(InputDomainTest, EveryTypeIsCompared) {
  for (const DataType type :
       {DataType::kUint8, DataType::kUint16, DataType::kUint32,
        DataType::kUint64, DataType::kInt8, DataType::kInt16, DataType::kInt32,
        DataType::kInt64, DataType::kFp16, DataType::kBf16, DataType::kFp32,
        DataType::kFp64}) {
    const InputDomain domain = DomainOf("0: [2, 5]; 2-3: one_hot", type);
    EXPECT_THAT(OutsideOf(domain, DomainRows({2, 9, 0, 1, 9, 9,  //
                                              5, 9, 1, 0, 9, 9},
                                             type)),
                IsEmpty())
        << DataTypeName(type);
    const std::vector<OutsideValue> found =
        OutsideOf(domain, DomainRows({1, 9, 0, 1, 9, 9,  //
                                      5, 9, 1, 1, 9, 9,  //
                                      6, 9, 0, 0, 9, 9},
                                     type));
    ASSERT_EQ(found.size(), 4U) << DataTypeName(type);
    EXPECT_EQ(found[0].row, 0);
    EXPECT_EQ(found[0].value, 1.0);
    EXPECT_EQ(found[1].row, 1);
    EXPECT_EQ(found[1].element, 3U);
    EXPECT_EQ(found[2].element, 0U);
    EXPECT_EQ(found[3].row, 2);
  }
}

TEST(InputDomainTest, LargeIntegersAreComparedExactly) {
  const InputDomain domain =
      DomainOf("[-9007199254740991, 9007199254740991]", DataType::kInt64);
  const std::int64_t most = 9007199254740991;
  EXPECT_EQ(OutsideOf(domain, FromIntegers(DataType::kInt64, {1, 6},
                                           std::vector<std::int64_t>{
                                               most, most + 1, -most, -most - 1,
                                               INT64_MAX, INT64_MIN}))
                .size(),
            4U);
}

TEST(InputDomainTest, ClampMovesNumbersToTheNearestBound) {
  const InputDomain domain = DomainOf("0-2: [-1, 2]; 3: 7; 5: [0, inf]");
  Tensor rows = DomainRows({5, -8, kInfiniteBound, 6, 99, -kInfiniteBound});
  for (const OutsideValue& outside : OutsideOf(domain, rows)) {
    EXPECT_TRUE(domain.Clamp(outside, rows.bytes().data()));
  }
  EXPECT_THAT(ToDoubles(rows), ElementsAre(2, -1, 2, 7, 99, 0));
  EXPECT_THAT(OutsideOf(domain, rows), IsEmpty());
}

TEST(InputDomainTest, ClampOfIntegersTouchesNoOtherElement) {
  const InputDomain domain = DomainOf("2: [0, 9]", DataType::kInt64);
  Tensor rows = FromIntegers(
      DataType::kInt64, {1, 6},
      std::vector<std::int64_t>{INT64_MAX, INT64_MIN, -4, INT64_MAX - 1, 1, 0});
  for (const OutsideValue& outside : OutsideOf(domain, rows)) {
    EXPECT_TRUE(domain.Clamp(outside, rows.bytes().data()));
  }
  EXPECT_THAT(ToIntegers(rows),
              ElementsAre(INT64_MAX, INT64_MIN, 0, INT64_MAX - 1, 1, 0));
}

TEST(InputDomainTest, NanAndCategoriesHaveNoNearest) {
  const InputDomain domain = DomainOf("0: [0, 1]; 1-2: one_hot");
  Tensor rows = DomainRows({kNanValue, 1, 1, 0, 0, 0});
  const std::vector<OutsideValue> found = OutsideOf(domain, rows);
  ASSERT_EQ(found.size(), 2U);
  const std::vector<double> before = ToDoubles(rows);
  EXPECT_FALSE(domain.Clamp(found[0], rows.bytes().data()));
  EXPECT_FALSE(domain.Clamp(found[1], rows.bytes().data()));
  EXPECT_TRUE(std::isnan(ToDoubles(rows)[0]));
  EXPECT_EQ(ToDoubles(rows)[1], before[1]);
  EXPECT_EQ(ToDoubles(rows)[2], before[2]);
}

TEST(InputDomainTest, ValuesNeedNoAlignment) {
  const InputDomain domain = DomainOf("[0, 1]; ");
  const Tensor rows = DomainRows({0, 1, 0.5, 2, 0, 1});
  std::vector<std::byte> bytes(rows.bytes().size() + 1);
  std::ranges::copy(rows.bytes(), bytes.begin() + 1);
  std::vector<std::size_t> elements;
  domain.VisitOutside(0, 1, bytes.data() + 1, [&](const OutsideValue& outside) {
    elements.push_back(outside.element);
  });
  EXPECT_THAT(elements, ElementsAre(3));
}

TEST(InputDomainTest, LabelsNameTheElementsOfEachRule) {
  const std::vector<TensorSignature> signatures = {
      SignatureOf("x", DataType::kFp32, 6),
      SignatureOf("kind", DataType::kInt64, 1)};
  const std::vector<InputRules> rules = {RulesOf("kind", "[0, 3]"),
                                         RulesOf("x", "0: 1; 2-4: one_hot")};
  const absl::StatusOr<InputDomain> domain =
      InputDomain::Create(rules, signatures);
  ASSERT_TRUE(domain.ok()) << domain.status();
  EXPECT_THAT(domain->labels(), ElementsAre("kind", "x[0]", "x[2-4]"));
  const Tensor kinds =
      FromIntegers(DataType::kInt64, {2, 1}, std::vector<std::int64_t>{3, 4});
  std::vector<std::string> texts;
  domain->VisitOutside(1, 2, kinds.bytes().data(),
                       [&](const OutsideValue& outside) {
                         texts.push_back(domain->Text(outside));
                       });
  EXPECT_THAT(texts, ElementsAre("input \"kind\": row 1, element 0 is 4, the "
                                 "domain of kind is [0, 3]"));
}

TEST(InputDomainTest, RulesThatDoNotFitTheModelReturnInvalidArgument) {
  EXPECT_THAT(DomainErrorOf("z", "1"),
              HasSubstr("the domain of input \"z\": the model has \"x\""));
  EXPECT_THAT(DomainErrorOf("x", "6: 1"),
              HasSubstr("there is no x[6], a row has 6 elements"));
  EXPECT_THAT(DomainErrorOf("x", "2-6: 1"), HasSubstr("there is no x[2-6]"));
  EXPECT_THAT(DomainErrorOf("x", "1e300"), HasSubstr("no number of type FP32"));
  EXPECT_THAT(DomainErrorOf("x", "[0, 70000]", DataType::kFp16),
              HasSubstr("70000 is no number of type FP16"));
  EXPECT_THAT(DomainErrorOf("x", "0.5", DataType::kInt64),
              HasSubstr("0.5 is no number of type INT64"));
  EXPECT_THAT(DomainErrorOf("x", "[-1, 5]", DataType::kUint8),
              HasSubstr("-1 is no number of type UINT8"));
  EXPECT_THAT(DomainErrorOf("x", "[0, 1e17]", DataType::kInt64),
              HasSubstr("is no number of type INT64"));
}

TEST(InputDomainTest, InputThatIsThereTwiceReturnsInvalidArgument) {
  const TensorSignature signature = SignatureOf("x", DataType::kFp32, 6);
  const std::vector<InputRules> rules = {RulesOf("x", "0: 1"),
                                         RulesOf("x", "1: 1")};
  const absl::Status status =
      InputDomain::Create(rules, {&signature, 1}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("it is there twice"));
}

TEST(InputDomainTest, RowsThatAreNotTogetherReturnUnimplemented) {
  TensorSignature signature = SignatureOf("x", DataType::kFp32, 6);
  signature.row_axis = 1;
  const InputRules rules = RulesOf("x", "1");
  EXPECT_EQ(InputDomain::Create({&rules, 1}, {&signature, 1}).status().code(),
            absl::StatusCode::kUnimplemented);
}

TEST(InputDomainTest, BoxHoldsTheDomainItsGroupsAndTheTypesOfIntegers) {
  const std::vector<TensorSignature> signatures = {
      SignatureOf("x", DataType::kFp32, 4),
      SignatureOf("kind", DataType::kInt8, 1)};
  const InputRules rules = RulesOf("x", "0: [18, 100]; 1: 2; 2-3: one_hot");
  const absl::StatusOr<InputDomain> domain =
      InputDomain::Create({&rules, 1}, signatures);
  ASSERT_TRUE(domain.ok()) << domain.status();
  PiecewiseNetwork network;
  network.inputs = {{.name = "kind",
                     .type = DataType::kInt8,
                     .row_shape = {1},
                     .first_element = 0,
                     .elements = 1},
                    {.name = "x",
                     .type = DataType::kFp32,
                     .row_shape = {4},
                     .first_element = 1,
                     .elements = 4}};
  network.input_elements = 5;

  const absl::StatusOr<InputBox> box = domain->BoxOf(network);

  ASSERT_TRUE(box.ok()) << box.status();
  EXPECT_THAT(box->low, ElementsAre(-128, 18, 2, 0, 0));
  EXPECT_THAT(box->high, ElementsAre(127, 100, 2, 1, 1));
  ASSERT_EQ(box->one_hot.size(), 1U);
  EXPECT_EQ(box->one_hot[0].first, 3U);
  EXPECT_EQ(box->one_hot[0].size, 2U);
}

TEST(InputDomainTest, NarrowerDomainIsWithin) {
  const InputDomain outer = DomainOf("0-1: [0, 1]; 2-3: one_hot; 4: [-inf, 5]");
  for (const std::string_view text :
       {"0-1: [0, 1]; 2-3: one_hot; 4: [-inf, 5]",
        "0: 1; 1: [0.25, 0.5]; 2-3: one_hot; 4: [0, 5]; 5: 7"}) {
    EXPECT_TRUE(DomainOf(text).CheckWithin(outer).ok()) << text;
  }
  EXPECT_TRUE(DomainOf("1").CheckWithin(InputDomain()).ok());
}

TEST(InputDomainTest, WiderDomainIsNotWithinAndItsElementsAreNamed) {
  const InputDomain outer = DomainOf("0-1: [0, 1]; 2-3: one_hot; 4: 5");
  const auto error_of = [&](const InputDomain& domain) {
    const absl::Status status = domain.CheckWithin(outer);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  EXPECT_THAT(
      error_of(DomainOf("0: 1; 1: [0, 1.5]; 2-3: one_hot; 4: 5")),
      HasSubstr("the domain of input \"x\": x[0-1] may be more than [0, 1]"));
  EXPECT_THAT(error_of(DomainOf("0-1: [0, 1]; 2-3: [0, 1]; 4: 5")),
              HasSubstr("x[2-3] may be more than one_hot"));
  EXPECT_THAT(error_of(DomainOf("0-1: [0, 1]; 2-3: one_hot")),
              HasSubstr("x[4] may be more than 5"));
  EXPECT_THAT(error_of(InputDomain()), HasSubstr("x[0-1]"));
}

TEST(InputDomainTest, DomainOfDoublesIsWithinItsBox) {
  const InputDomain outer =
      DomainOf(fmt::format("[{}, 1]", double{0.1F}), DataType::kFp64);
  EXPECT_TRUE(DomainOf("[0.1, 1]", DataType::kFp64).CheckWithin(outer).ok());
  EXPECT_FALSE(DomainOf("[0.09, 1]", DataType::kFp64).CheckWithin(outer).ok());
}

TEST(InputDomainTest, BoxOfDoublesIsWhatFloat32MakesOfThem) {
  PiecewiseNetwork network;
  network.inputs = {{.name = "x",
                     .type = DataType::kFp64,
                     .row_shape = {6},
                     .first_element = 0,
                     .elements = 6}};
  network.input_elements = 6;
  const absl::StatusOr<InputBox> box =
      DomainOf("0: [0.1, 1e300]; 1-5: 1", DataType::kFp64).BoxOf(network);
  ASSERT_TRUE(box.ok()) << box.status();
  EXPECT_EQ(box->low[0], double{0.1F});
  EXPECT_EQ(box->high[0], kInfiniteBound);
}

TEST(InputDomainTest, BoxOfFloatsWithoutARuleReturnsFailedPrecondition) {
  PiecewiseNetwork network;
  network.inputs = {{.name = "x",
                     .type = DataType::kFp32,
                     .row_shape = {6},
                     .first_element = 0,
                     .elements = 6}};
  network.input_elements = 6;
  const absl::StatusOr<InputBox> box = DomainOf("0-4: 1").BoxOf(network);
  EXPECT_EQ(box.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(box.status().message()),
              HasSubstr("element 5 of input \"x\" has no domain"));
}

}  // namespace
}  // namespace relu
