#include "core/repository/settle_watch.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "core/repository/file_stamp.h"

namespace relu {
namespace {

using std::chrono::milliseconds;

// What is left until `age` is `wanted`, rounded up; 0 if it is.
template <typename Duration>
milliseconds Left(milliseconds wanted, Duration age) {
  return std::max(milliseconds(0),
                  std::chrono::ceil<milliseconds>(wanted - age));
}

}  // namespace

milliseconds SettleWatch::Look(const std::string& model, const FileStamp& stamp,
                               const Now& now) {
  if (settle_time_.count() == 0) {
    return milliseconds(0);
  }
  const auto age = now.system - stamp.changed_at();
  // Dates in the future say nothing (another host's clock, or one set back),
  // nor are there any of files that are gone.
  const bool dated = stamp != FileStamp() && age.count() >= 0;
  const milliseconds by_date = dated ? Left(settle_time_, age) : settle_time_;
  auto [seen, is_new] =
      seen_.try_emplace(model, Seen{.stamp = stamp, .since = now.steady});
  if (!is_new && seen->second.stamp != stamp) {
    seen->second = {.stamp = stamp, .since = now.steady};
  }
  const milliseconds by_looks =
      Left(settle_time_, now.steady - seen->second.since);
  const milliseconds left = std::min(by_date, by_looks);
  if (left.count() == 0) {
    Forget(model);
  }
  return left;
}

}  // namespace relu
