// RepositoryBuilder: a model repository in a temporary folder of a test.

#ifndef TESTS_INTEGRATION_REPOSITORY_BUILDER_H_
#define TESTS_INTEGRATION_REPOSITORY_BUILDER_H_

#include <filesystem>
#include <string>

namespace relu {

// For one thread. The folder and all in it go with this object.
class RepositoryBuilder {
 public:
  RepositoryBuilder();
  ~RepositoryBuilder();

  RepositoryBuilder(const RepositoryBuilder&) = delete;
  RepositoryBuilder& operator=(const RepositoryBuilder&) = delete;

  const std::filesystem::path& folder() const { return folder_; }

  // Copies `onnx_file`, and any *.data and *.bin beside it, to version 1 of
  // model `name`.
  void Add(const std::string& name, const std::filesystem::path& onnx_file);

 private:
  std::filesystem::path folder_;
};

}  // namespace relu

#endif  // TESTS_INTEGRATION_REPOSITORY_BUILDER_H_
