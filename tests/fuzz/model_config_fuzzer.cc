// libFuzzer target: the text of a config.pbtxt.

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/check.h"
#include "core/repository/model_config.h"

// Its name is given by libFuzzer.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes,
                                      std::size_t size) {
  // A file without a disk.
  static const int fd = memfd_create("config.pbtxt", MFD_CLOEXEC);
  static const std::string path = "/proc/self/fd/" + std::to_string(fd);
  CHECK(ftruncate(fd, 0) == 0);
  CHECK(pwrite(fd, bytes, size, 0) == static_cast<ssize_t>(size));
  relu::ReadModelConfig(path, "model").IgnoreError();
  return 0;
}
