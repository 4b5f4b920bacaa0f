#include "tests/support/reference_model.h"

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

TEST(ReferenceModelTest, LoadGivesTensorsAndTolerancesByName) {
  const absl::StatusOr<ReferenceModel> model =
      LoadReference("tests/testdata/models/iris_argmax");
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->name, "iris_argmax");
  EXPECT_EQ(model->inputs.at("input").shape(), (Shape{30, 4}));
  EXPECT_EQ(model->outputs.at("label").type(), DataType::kInt64);
  EXPECT_EQ(model->outputs.at("probabilities").shape(), (Shape{30, 3}));
  EXPECT_EQ(model->tolerances.at("label"), 0);
  EXPECT_EQ(model->tolerances.at("probabilities"), 1e-5);
}

TEST(ReferenceModelTest, LoadReturnsNotFoundWhenThereIsNoFolder) {
  EXPECT_EQ(LoadReference("tests/testdata/none").status().code(),
            absl::StatusCode::kNotFound);
}

TEST(ReferenceModelTest, FoldersListsModelsSortedByName) {
  const auto folders = ReferenceFolders("tests/testdata/models");
  ASSERT_GE(folders.size(), 2U);
  EXPECT_LT(folders[0], folders[1]);
}

TEST(ReferenceModelTest, SliceStartsAgainWhenRowsRunOut) {
  Tensor tensor(DataType::kFp32, {3, 1});
  tensor.As<float>()[1] = 1;
  tensor.As<float>()[2] = 2;
  const Tensor slice = SliceRows(tensor, /*first_row=*/2, /*rows=*/3);
  EXPECT_EQ(slice.shape(), (Shape{3, 1}));
  EXPECT_THAT(slice.As<float>(), ElementsAre(2, 0, 1));
}

}  // namespace
}  // namespace relu
