// WithPrefix: says where an error came from, on its way up.

#ifndef CORE_BASE_STATUS_PREFIX_H_
#define CORE_BASE_STATUS_PREFIX_H_

#include <string_view>

#include "absl/status/status.h"

namespace relu {

// The same code with `prefix` in front of the message; OK stays OK. Payloads
// are not kept: we use none.
absl::Status WithPrefix(std::string_view prefix, const absl::Status& status);

}  // namespace relu

#endif  // CORE_BASE_STATUS_PREFIX_H_
