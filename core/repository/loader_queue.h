// LoaderQueue: what the loader thread is asked to do.

#ifndef CORE_REPOSITORY_LOADER_QUEUE_H_
#define CORE_REPOSITORY_LOADER_QUEUE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"

#include "core/base/mutex.h"
#include "core/repository/model.h"
#include "core/repository/model_override.h"

namespace relu {

// A client's wish to load or unload a model.
struct ControlCommand {
  enum class Kind : std::uint8_t { kLoad, kUnload };

  Kind kind = Kind::kLoad;
  std::string model;
  ModelOverride change;  // kLoad only.
  // Called exactly once, with no lock held, when it is done or refused.
  absl::AnyInvocable<void(const absl::Status&)> done;
};

// Thread-safe.
class LoaderQueue {
 public:
  // Commands that may wait, each with the files that it brings.
  static constexpr std::size_t kMaxCommands = 32;

  struct Work {
    std::vector<std::unique_ptr<Model>> retired;
    std::optional<ControlCommand> command;
    bool closed = false;
  };

  // Takes a command, or calls its `done`: with UNAVAILABLE after Close(), and
  // with RESOURCE_EXHAUSTED if kMaxCommands wait.
  void Push(ControlCommand command) ABSL_LOCKS_EXCLUDED(mu_);

  // Takes a model that is not served any more and that no request holds, to be
  // freed by the loader thread. After Finish() it is freed at once.
  void Retire(std::unique_ptr<Model> model) ABSL_LOCKS_EXCLUDED(mu_);

  std::vector<std::unique_ptr<Model>> TakeRetired() ABSL_LOCKS_EXCLUDED(mu_);

  // For the loader thread: waits for anything to do, at most until `until`.
  Work Wait(std::chrono::steady_clock::time_point until)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Takes no more commands and answers those that wait with UNAVAILABLE.
  void Close() ABSL_LOCKS_EXCLUDED(mu_);

  // The retired models that nobody will take any more. After Close().
  std::vector<std::unique_ptr<Model>> Finish() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  Mutex mu_;
  CondVar changed_;
  std::deque<ControlCommand> commands_ ABSL_GUARDED_BY(mu_);
  std::vector<std::unique_ptr<Model>> retired_ ABSL_GUARDED_BY(mu_);
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace relu

#endif  // CORE_REPOSITORY_LOADER_QUEUE_H_
