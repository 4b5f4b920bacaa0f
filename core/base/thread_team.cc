#include "core/base/thread_team.h"

#include <sched.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <thread>

#include "core/base/check.h"
#include "core/base/mutex.h"

namespace relu {
namespace {

// Tells the CPU that this is a loop that waits.
void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Moves this thread to another CPU if it is on `cpu` and may be on others.
void LeaveCpu(int cpu) {
  cpu_set_t all;
  if (cpu < 0 || sched_getcpu() != cpu ||
      sched_getaffinity(0, sizeof(all), &all) != 0 || CPU_COUNT(&all) < 2) {
    return;
  }
  cpu_set_t others = all;
  CPU_CLR(static_cast<std::size_t>(cpu), &others);
  // The second call lets it be anywhere again, but moves it no more.
  if (sched_setaffinity(0, sizeof(others), &others) == 0) {
    sched_setaffinity(0, sizeof(all), &all);
  }
}

// Of ThreadTeam::state_: each of three numbers of pieces, and the stage.
constexpr unsigned kPieceBits = 10;
constexpr std::uint64_t kStageMask = ~std::uint64_t{0} >> 3 * kPieceBits;
static_assert(ThreadTeam::kMaxPieces == (1U << kPieceBits) - 1);

// Not 0, so that all who use a team, and all tests, see the number wrap.
constexpr std::uint64_t kFirstStage = kStageMask - 50;

}  // namespace

ThreadTeam::ThreadTeam(int size, std::chrono::microseconds spin)
    : size_(size), spin_(spin), state_(Pack({.stage = kFirstStage})) {
  CHECK(size >= 1);
  for (int member = 1; member < size; ++member) {
    threads_.emplace_back([this, member] { Serve(member); });
  }
}

ThreadTeam::~ThreadTeam() {
  {
    const MutexLock lock(mu_);
    stop_.store(true, std::memory_order_relaxed);
  }
  wake_.NotifyAll();
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

std::uint64_t ThreadTeam::Pack(const State& state) {
  return ((state.stage << kPieceBits | state.unfinished) << kPieceBits |
          state.end)
             << kPieceBits |
         state.begin;
}

ThreadTeam::State ThreadTeam::Unpack(std::uint64_t packed) {
  return {.stage = packed >> 3 * kPieceBits,
          .begin = packed & kMaxPieces,
          .end = packed >> kPieceBits & kMaxPieces,
          .unfinished = packed >> 2 * kPieceBits & kMaxPieces};
}

void ThreadTeam::Run(std::size_t stages, PieceCount pieces, Work work) {
  if (size_ == 1) {
    for (std::size_t stage = 0; stage < stages; ++stage) {
      const std::size_t count = pieces(stage);
      CHECK(count <= kMaxPieces);
      for (std::size_t piece = 0; piece < count; ++piece) {
        work(stage, piece, 0);
      }
    }
    return;
  }
  caller_cpu_.store(sched_getcpu(), std::memory_order_relaxed);
  const State last = Unpack(state_.load(std::memory_order_relaxed));
  job_.emplace(Job{.pieces = pieces,
                   .work = work,
                   .stages = stages,
                   .first_stage = last.stage + 1});
  Do(Begin(0, 0), 0);
  // For pieces that others have begun. One of them may have lost its CPU: after
  // some microseconds others may have this one.
  constexpr int kPauses = 2000;
  int pauses = 0;
  while (true) {
    const State state = Unpack(state_.load(std::memory_order_acquire));
    if (state.unfinished == 0) {
      return;
    }
    if (state.has_pieces()) {
      Do(Take(0), 0);
      pauses = 0;
    } else if (pauses < kPauses) {
      Pause();
      ++pauses;
    } else {
      std::this_thread::yield();
    }
  }
}

std::optional<ThreadTeam::Piece> ThreadTeam::Begin(std::size_t stage,
                                                   int member) {
  std::size_t pieces = 0;
  for (; stage < job_->stages; ++stage) {
    pieces = job_->pieces(stage);
    if (pieces > 0) {
      break;
    }
  }
  CHECK(pieces <= kMaxPieces);
  State state{.stage = job_->first_stage + stage,
              .begin = 0,
              .end = pieces,
              .unfinished = pieces};
  if (pieces == 0) {
    state_.store(Pack(state), std::memory_order_release);
    return std::nullopt;
  }
  const Piece piece{.stage = stage, .index = state.Take(member)};
  // Either this sees that a thread sleeps, or that sees the pieces before it
  // does (Sleep()).
  state_.store(Pack(state), std::memory_order_seq_cst);
  if (state.has_pieces() && sleeping_.load(std::memory_order_seq_cst) > 0) {
    // What has looked for pieces in vain waits when this has the mutex.
    { const MutexLock lock(mu_); }
    wake_.NotifyAll();
  }
  return piece;
}

std::optional<ThreadTeam::Piece> ThreadTeam::Take(int member) {
  std::uint64_t packed = state_.load(std::memory_order_relaxed);
  while (true) {
    State state = Unpack(packed);
    if (!state.has_pieces()) {
      return std::nullopt;
    }
    const std::size_t index = state.Take(member);
    if (state_.compare_exchange_weak(packed, Pack(state),
                                     std::memory_order_acquire,
                                     std::memory_order_relaxed)) {
      return Piece{.stage = StageOf(state), .index = index};
    }
  }
}

std::optional<ThreadTeam::Piece> ThreadTeam::Finish(int member) {
  std::uint64_t packed = state_.load(std::memory_order_acquire);
  while (true) {
    State state = Unpack(packed);
    if (state.unfinished == 1) {  // Only this member can change it.
      return Begin(StageOf(state) + 1, member);
    }
    --state.unfinished;
    std::optional<Piece> piece;
    if (state.has_pieces()) {
      piece = {.stage = StageOf(state), .index = state.Take(member)};
    }
    if (state_.compare_exchange_weak(packed, Pack(state),
                                     std::memory_order_acq_rel,
                                     std::memory_order_acquire)) {
      return piece;
    }
  }
}

std::size_t ThreadTeam::StageOf(const State& state) const {
  return (state.stage - job_->first_stage) & kStageMask;
}

void ThreadTeam::Do(std::optional<Piece> piece, int member) {
  for (; piece.has_value(); piece = Finish(member)) {
    job_->work(piece->stage, piece->index, member);
  }
}

void ThreadTeam::Serve(int member) {
  while (WaitForPieces()) {
    Do(Take(member), member);
  }
}

bool ThreadTeam::IsWaitOver() const {
  return Unpack(state_.load(std::memory_order_seq_cst)).has_pieces() ||
         stop_.load(std::memory_order_relaxed);
}

void ThreadTeam::Sleep() {
  const MutexLock lock(mu_);
  sleeping_.fetch_add(1, std::memory_order_seq_cst);
  while (!IsWaitOver()) {
    wake_.Wait(mu_);
  }
  sleeping_.fetch_sub(1, std::memory_order_relaxed);
}

bool ThreadTeam::WaitForPieces() {
  // The clock is for long waits: to look at it takes as long as the last member
  // of a stage may be away.
  using Clock = std::chrono::steady_clock;
  constexpr int kPausesPerLook = 16;
  std::optional<Clock::time_point> until;
  while (true) {
    for (int i = 0; i < kPausesPerLook; ++i) {
      if (IsWaitOver()) {
        return !stop_.load(std::memory_order_relaxed);
      }
      Pause();
    }
    const Clock::time_point now = Clock::now();
    if (!until.has_value()) {
      until = now + spin_;
    }
    if (now >= *until) {
      Sleep();
      LeaveCpu(caller_cpu_.load(std::memory_order_relaxed));
      return !stop_.load(std::memory_order_relaxed);
    }
  }
}

}  // namespace relu
