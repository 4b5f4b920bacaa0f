// SettleWatch: tells whether the files of a model have stopped changing, so
// that nothing is loaded that somebody still copies.

#ifndef CORE_REPOSITORY_SETTLE_WATCH_H_
#define CORE_REPOSITORY_SETTLE_WATCH_H_

#include <chrono>
#include <map>
#include <string>

#include "core/repository/file_stamp.h"

namespace relu {

// For one thread.
class SettleWatch {
 public:
  struct Now {
    std::chrono::steady_clock::time_point steady;
    std::chrono::system_clock::time_point system;  // Which files are dated by.
  };

  // Files have settled when they have not changed for `settle_time`; 0: always.
  explicit SettleWatch(std::chrono::milliseconds settle_time)
      : settle_time_(settle_time) {}

  // A look at the files of `model`. 0: they have settled. Else the time after
  // which another look can tell. They have settled if two looks that lie
  // settle_time apart found the same, with no other between them, or if by
  // their own dates nothing has changed for so long.
  std::chrono::milliseconds Look(const std::string& model,
                                 const FileStamp& stamp, const Now& now);

  // Forgets the looks at `model`.
  void Forget(const std::string& model) { seen_.erase(model); }

 private:
  struct Seen {
    FileStamp stamp;
    std::chrono::steady_clock::time_point since;
  };

  const std::chrono::milliseconds settle_time_;
  std::map<std::string, Seen> seen_;  // By model; of those that may settle.
};

}  // namespace relu

#endif  // CORE_REPOSITORY_SETTLE_WATCH_H_
