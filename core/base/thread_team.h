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
// Between two stages every member waits for the others. With two members that
// takes some 340 ns where a cache line takes 240 from one CPU to the other
// (Zen 5): all that changes is in one word, and who finishes the last piece of
// a stage offers the next stage with the same write.
//
// Run() is for one caller at a time. Several callers that share a team hold a
// TeamLease while they call it.
class ThreadTeam {
 public:
  // The most pieces of one stage.
  static constexpr std::size_t kMaxPieces = (1U << 10U) - 1;

  // `size` >= 1 members: the caller, which is member 0, and size - 1 threads,
  // which look for work for `spin` after their last, before they sleep.
  explicit ThreadTeam(
      int size, std::chrono::microseconds spin = std::chrono::microseconds(50));
  // Not during a Run().
  ~ThreadTeam();

  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  int size() const { return size_; }

  // How many pieces a stage has. Called for each stage, in their order, by
  // whichever member.
  using PieceCount = absl::FunctionRef<std::size_t(std::size_t stage)>;
  using Work =
      absl::FunctionRef<void(std::size_t stage, std::size_t piece, int member)>;

  // For each stage 0 .. stages - 1, one after the other: calls work(stage,
  // piece, member) once for each piece 0 .. pieces(stage) - 1, on whichever
  // member, several at the same time. A stage begins when all pieces of the one
  // before have returned, and sees what they wrote. Of each stage the caller
  // begins with the first piece, the others with the last, so that the same
  // pieces tend to stay with the same CPU. Returns when all have returned.
  void Run(std::size_t stages, PieceCount pieces, Work work);

 private:
  friend class TeamLease;

  // One Run(). Written by the caller while none is running. Members read it
  // while they have a piece, which keeps the run going.
  struct Job {
    PieceCount pieces;
    Work work;
    std::size_t stages = 0;
    std::uint64_t first_stage = 0;  // The first one's number in state_.
  };

  // What state_ packs.
  struct State {
    // Counts the stages of all runs, so that a member that was away for a while
    // cannot mistake the pieces of one for those of another. Its lowest 34
    // bits.
    std::uint64_t stage = 0;
    // The pieces begin .. end - 1 that nobody has taken.
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    // Pieces that are not done. 0: nothing is running.
    std::uint64_t unfinished = 0;

    bool has_pieces() const { return begin != end; }
    // Whichever of them `member` begins with; has_pieces().
    std::size_t Take(int member) { return member == 0 ? begin++ : --end; }
  };
  static std::uint64_t Pack(const State& state);
  static State Unpack(std::uint64_t packed);

  struct Piece {
    std::size_t stage = 0;
    std::size_t index = 0;
  };

  // Offers the first stage from `stage` on that has pieces, one of which
  // `member` takes; or ends the run, if there is none. Nobody else has a piece.
  std::optional<Piece> Begin(std::size_t stage, int member)
      ABSL_LOCKS_EXCLUDED(mu_);
  // The next piece for `member`, or nullopt if none is left now.
  std::optional<Piece> Take(int member);
  // The same, after `member` has done the piece it had.
  std::optional<Piece> Finish(int member) ABSL_LOCKS_EXCLUDED(mu_);
  // Which stage of the run that is; for who has one of its pieces.
  std::size_t StageOf(const State& state) const;
  // Does this piece, and more as long as it gets any.
  void Do(std::optional<Piece> piece, int member);

  // What a thread does.
  void Serve(int member);
  // Waits for pieces. Returns false if there will be no more.
  bool WaitForPieces() ABSL_LOCKS_EXCLUDED(mu_);
  // Until IsWaitOver().
  void Sleep() ABSL_LOCKS_EXCLUDED(mu_);
  bool IsWaitOver() const;

  const int size_;
  const std::chrono::microseconds spin_;
  std::optional<Job> job_;

  // On which the caller began the last Run().
  std::atomic<int> caller_cpu_{-1};

  Mutex mu_;
  CondVar wake_;
  // Changed with mu_ held.
  std::atomic<int> sleeping_{0};
  // Set with mu_ held, so that no thread misses it on its way to sleep; read
  // without it by threads that look for work.
  std::atomic<bool> stop_{false};

  // True while somebody has a lease. Taking it acquires what the holder before
  // released.
  std::atomic<bool> leased_{false};

  std::vector<std::thread> threads_;

  // In a cache line of its own: the members look at it while they wait. Who
  // offers pieces or finishes one releases what it wrote; who takes one, or
  // finds that none is unfinished, acquires it.
  static constexpr std::size_t kCacheLineBytes = 64;
  alignas(kCacheLineBytes) std::atomic<std::uint64_t> state_;
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
