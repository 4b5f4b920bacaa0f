// ThreadTeam: a caller and threads of its own that share the pieces of one
// thing, for microseconds at a time.

#ifndef CORE_BASE_THREAD_TEAM_H_
#define CORE_BASE_THREAD_TEAM_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"

#include "core/base/mutex.h"

namespace relu {

// To wake a sleeping thread takes as long as many networks do (60 us for a
// round trip), so the threads look for work for a while before they sleep.
// Linux may wake a thread on the CPU of its caller, above all where CPUs share
// no cache that it knows of, as on virtual ones. There the two take turns,
// until the thread has run in vain and sleeps again. So it leaves that CPU
// first. Nobody waits for a thread that has not begun: the caller takes all the
// pieces that no other member does, so a team whose threads have no CPU is
// hardly slower than its caller alone.
//
// Run() is for one caller at a time. Several callers that share a team hold a
// TeamLease while they call it.
class ThreadTeam {
 public:
  // The most pieces of one Run().
  static constexpr std::size_t kMaxPieces = 0xFFFF;

  // `size` >= 1 members: the caller, which is member 0, and size - 1 threads,
  // which look for work for `spin` after their last, before they sleep.
  explicit ThreadTeam(
      int size, std::chrono::microseconds spin = std::chrono::microseconds(50));
  // Not during a Run().
  ~ThreadTeam();

  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  int size() const { return size_; }

  // Calls work(piece, member) once for each piece 0 .. pieces - 1, on whichever
  // member, several at the same time, and returns when all have returned. The
  // caller begins with the first, the others with the last, so that the same
  // pieces tend to stay with the same CPU. What the members wrote is visible to
  // all who take pieces later.
  using Work = absl::FunctionRef<void(std::size_t piece, int member)>;
  void Run(std::size_t pieces, Work work);

 private:
  friend class TeamLease;

  // The next piece for `member`, or nullopt if none is left.
  std::optional<std::size_t> Take(int member);
  // Takes pieces until none is left.
  void TakeAll(int member);
  // What a thread does.
  void Serve(int member);
  // Waits for pieces. Returns false if there will be no more.
  bool WaitForPieces() ABSL_LOCKS_EXCLUDED(mu_);
  // Until IsWaitOver().
  void Sleep() ABSL_LOCKS_EXCLUDED(mu_);
  bool IsWaitOver() const;
  bool HasPieces() const;

  const int size_;
  const std::chrono::microseconds spin_;

  // Written by the caller before it offers pieces (release), read by members
  // after they took one (acquire). Run() does not return, and so this does not
  // change, before every piece that was taken is done.
  const Work* work_ = nullptr;
  // The pieces begin .. end - 1 that nobody has taken, in the two lowest groups
  // of 16 bits. Above them the number of the Run(): a member that was away for
  // a whole Run() cannot mistake its pieces for those of the next.
  std::atomic<std::uint64_t> pieces_{0};
  // Pieces that are not done. Members count it down (release); the caller waits
  // for 0 (acquire).
  std::atomic<std::size_t> unfinished_{0};

  // On which the caller began the last Run().
  std::atomic<int> caller_cpu_{-1};

  Mutex mu_;
  CondVar wake_;
  int sleeping_ ABSL_GUARDED_BY(mu_) = 0;
  // Set with mu_ held, so that no thread misses it on its way to sleep; read
  // without it by threads that look for work.
  std::atomic<bool> stop_{false};

  // True while somebody has a lease. Taking it acquires what the holder before
  // released.
  std::atomic<bool> leased_{false};

  std::vector<std::thread> threads_;
};

// The right to use a team, if nobody else has it. For one thread.
class TeamLease {
 public:
  // Without a right.
  TeamLease() = default;
  // `team` outlives the lease.
  explicit TeamLease(ThreadTeam& team)
      : team_(team.leased_.exchange(true, std::memory_order_acquire) ? nullptr
                                                                     : &team) {}
  ~TeamLease() {
    if (team_ != nullptr) {
      team_->leased_.store(false, std::memory_order_release);
    }
  }

  TeamLease(const TeamLease&) = delete;
  TeamLease& operator=(const TeamLease&) = delete;

  // nullptr without the right.
  ThreadTeam* team() const { return team_; }

 private:
  ThreadTeam* team_ = nullptr;
};

}  // namespace relu

#endif  // CORE_BASE_THREAD_TEAM_H_
