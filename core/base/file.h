// Reading whole files, with a limit: nothing from disk is trusted.

#ifndef CORE_BASE_FILE_H_
#define CORE_BASE_FILE_H_

#include <cstddef>
#include <filesystem>
#include <string>

#include "absl/status/statusor.h"

namespace relu {

// Returns the content of a regular file. Errors, each naming `path`:
//   NOT_FOUND            there is no such file
//   INVALID_ARGUMENT     it is not a regular file, or larger than `max_bytes`
//   PERMISSION_DENIED, INTERNAL   it cannot be opened or read
absl::StatusOr<std::string> ReadFile(const std::filesystem::path& path,
                                     std::size_t max_bytes);

}  // namespace relu

#endif  // CORE_BASE_FILE_H_
