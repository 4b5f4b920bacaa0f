// What the tests of reluctl share.

#ifndef TESTS_CLIENT_CLI_CLI_SUPPORT_H_
#define TESTS_CLIENT_CLI_CLI_SUPPORT_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/rows.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"

namespace relu {

// An input with rows of `row_shape`.
ModelInput Input(std::string_view name, DataType type, const Shape& row_shape);

// The elements of `bytes` as T.
template <typename T>
std::vector<T> Elements(const std::vector<std::byte>& bytes) {
  const T* const begin = reinterpret_cast<const T*>(bytes.data());
  return {begin, begin + bytes.size() / sizeof(T)};
}

// The bytes of a .npy file. `descr`: such as "<f4". `shape`: such as "(2, 3)".
std::string NpyBytes(std::string_view descr, std::string_view shape,
                     std::string_view elements,
                     std::string_view fortran_order = "False");

template <typename T>
std::string BytesOf(const std::vector<T>& elements) {
  return {reinterpret_cast<const char*>(elements.data()),
          elements.size() * sizeof(T)};
}

// A folder of its own, which goes away with this object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  // Writes a file and returns its path.
  std::string Write(std::string_view name, std::string_view content) const;

 private:
  std::filesystem::path path_;
};

}  // namespace relu

#endif  // TESTS_CLIENT_CLI_CLI_SUPPORT_H_
