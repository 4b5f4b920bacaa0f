#include "tests/integration/repository_builder.h"

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "core/base/check.h"

namespace relu {

RepositoryBuilder::RepositoryBuilder() {
  std::string pattern =
      (std::filesystem::temp_directory_path() / "relud-test-XXXXXX").string();
  CHECK(mkdtemp(pattern.data()) != nullptr);
  folder_ = pattern;
}

RepositoryBuilder::~RepositoryBuilder() {
  std::filesystem::remove_all(folder_);
}

void RepositoryBuilder::Add(const std::string& name,
                            const std::filesystem::path& onnx_file) {
  const std::filesystem::path version = folder_ / name / "1";
  std::filesystem::create_directories(version);
  std::filesystem::copy_file(onnx_file, version / "model.onnx");
  for (const auto& entry :
       std::filesystem::directory_iterator(onnx_file.parent_path())) {
    const std::string extension = entry.path().extension().string();
    if (extension == ".data" || extension == ".bin") {
      std::filesystem::copy_file(entry.path(),
                                 version / entry.path().filename());
    }
  }
}

}  // namespace relu
