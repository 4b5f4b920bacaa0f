#include "core/base/status_prefix.h"

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace relu {

absl::Status WithPrefix(std::string_view prefix, const absl::Status& status) {
  if (status.ok()) {
    return status;
  }
  return {status.code(), std::string(prefix).append(status.message().data(),
                                                    status.message().size())};
}

}  // namespace relu
