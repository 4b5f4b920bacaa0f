// TempRepository: a folder of models that a test fills, gone at its end.

#ifndef TESTS_CORE_REPOSITORY_TEMP_REPOSITORY_H_
#define TESTS_CORE_REPOSITORY_TEMP_REPOSITORY_H_

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace relu {

class TempRepository {
 public:
  TempRepository() {
    std::filesystem::remove_all(base_);
    std::filesystem::create_directories(folder());
  }
  ~TempRepository() { std::filesystem::remove_all(base_); }

  TempRepository(const TempRepository&) = delete;
  TempRepository& operator=(const TempRepository&) = delete;

  std::filesystem::path folder() const { return base_ / "models"; }
  // A place beside the repository, for links that lead out of it.
  std::filesystem::path outside() const { return base_ / "outside"; }

  // Writes a file; `path` counts from the repository.
  std::filesystem::path Write(const std::filesystem::path& path,
                              std::string_view text) const {
    const std::filesystem::path file = folder() / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
    return file;
  }

  // Copies tests/testdata/models/<model>/model.onnx to `path`.
  std::filesystem::path Copy(std::string_view model,
                             const std::filesystem::path& path) const {
    const std::filesystem::path file = folder() / path;
    std::filesystem::create_directories(file.parent_path());
    std::filesystem::copy_file(ModelFile(model), file);
    return file;
  }

  static std::filesystem::path ModelFile(std::string_view model) {
    return std::filesystem::path("tests/testdata/models") / model /
           "model.onnx";
  }

 private:
  static std::string TestName() {
    const ::testing::TestInfo& test =
        *::testing::UnitTest::GetInstance()->current_test_info();
    return std::string(test.test_suite_name()) + "." + test.name();
  }

  const std::filesystem::path base_ =
      std::filesystem::path(::testing::TempDir()) / TestName();
};

}  // namespace relu

#endif  // TESTS_CORE_REPOSITORY_TEMP_REPOSITORY_H_
