#include "tests/client/cli/cli_support.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include "client/cli/rows.h"
#include "core/base/check.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"

namespace relu {

ModelInput Input(std::string_view name, DataType type, const Shape& row_shape) {
  return {.name = std::string(name),
          .type = type,
          .row_shape = row_shape,
          .row_elements = ElementCount(row_shape)};
}

std::string NpyBytes(std::string_view descr, std::string_view shape,
                     std::string_view elements,
                     std::string_view fortran_order) {
  const std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}\n",
                  descr, fortran_order, shape);
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size());
  bytes += '\0';
  return bytes + header + std::string(elements);
}

TemporaryFolder::TemporaryFolder() {
  std::string name =
      (std::filesystem::temp_directory_path() / "reluctl_test.XXXXXX").string();
  CHECK(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() { std::filesystem::remove_all(path_); }

std::string TemporaryFolder::Write(std::string_view name,
                                   std::string_view content) const {
  const std::filesystem::path file = path_ / name;
  std::ofstream stream(file, std::ios::binary);
  stream << content;
  stream.close();
  CHECK(stream.good());
  return file.string();
}

}  // namespace relu
