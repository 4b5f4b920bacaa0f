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

// The parts of ThreadTeam::pieces_.
struct Pieces {
  std::uint64_t run = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

Pieces Unpack(std::uint64_t packed) {
  return {.run = packed >> 32U,
          .begin = packed & ThreadTeam::kMaxPieces,
          .end = packed >> 16U & ThreadTeam::kMaxPieces};
}

std::uint64_t Pack(const Pieces& pieces) {
  return pieces.run << 32U | pieces.end << 16U | pieces.begin;
}

}  // namespace

ThreadTeam::ThreadTeam(int size, std::chrono::microseconds spin)
    : size_(size), spin_(spin) {
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

void ThreadTeam::Run(std::size_t pieces, Work work) {
  CHECK(pieces <= kMaxPieces);
  if (pieces <= 1 || size_ == 1) {
    for (std::size_t piece = 0; piece < pieces; ++piece) {
      work(piece, 0);
    }
    return;
  }
  work_ = &work;
  caller_cpu_.store(sched_getcpu(), std::memory_order_relaxed);
  unfinished_.store(pieces, std::memory_order_relaxed);
  bool wake = false;
  {
    const MutexLock lock(mu_);
    const Pieces last = Unpack(pieces_.load(std::memory_order_relaxed));
    pieces_.store(Pack({.run = last.run + 1, .begin = 0, .end = pieces}),
                  std::memory_order_release);
    wake = sleeping_ > 0;
  }
  if (wake) {
    wake_.NotifyAll();
  }
  TakeAll(0);
  // Only for pieces that others have begun. One of them may have lost its CPU:
  // after some microseconds others may have this one.
  constexpr int kPauses = 2000;
  for (int i = 0; unfinished_.load(std::memory_order_acquire) > 0; ++i) {
    if (i < kPauses) {
      Pause();
    } else {
      std::this_thread::yield();
    }
  }
}

std::optional<std::size_t> ThreadTeam::Take(int member) {
  std::uint64_t packed = pieces_.load(std::memory_order_relaxed);
  while (true) {
    Pieces pieces = Unpack(packed);
    if (pieces.begin == pieces.end) {
      return std::nullopt;
    }
    const std::uint64_t piece = member == 0 ? pieces.begin++ : --pieces.end;
    if (pieces_.compare_exchange_weak(packed, Pack(pieces),
                                      std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
      return piece;
    }
  }
}

void ThreadTeam::TakeAll(int member) {
  while (const std::optional<std::size_t> piece = Take(member)) {
    (*work_)(*piece, member);
    unfinished_.fetch_sub(1, std::memory_order_acq_rel);
  }
}

void ThreadTeam::Serve(int member) {
  while (WaitForPieces()) {
    TakeAll(member);
  }
}

bool ThreadTeam::HasPieces() const {
  const Pieces pieces = Unpack(pieces_.load(std::memory_order_relaxed));
  return pieces.begin != pieces.end;
}

bool ThreadTeam::IsWaitOver() const {
  return HasPieces() || stop_.load(std::memory_order_relaxed);
}

void ThreadTeam::Sleep() {
  const MutexLock lock(mu_);
  ++sleeping_;
  while (!IsWaitOver()) {
    wake_.Wait(mu_);
  }
  --sleeping_;
}

bool ThreadTeam::WaitForPieces() {
  const auto until = std::chrono::steady_clock::now() + spin_;
  constexpr int kPausesPerLook = 16;  // At the clock.
  while (!IsWaitOver() && std::chrono::steady_clock::now() < until) {
    for (int i = 0; i < kPausesPerLook && !IsWaitOver(); ++i) {
      Pause();
    }
  }
  if (!IsWaitOver()) {
    Sleep();
    LeaveCpu(caller_cpu_.load(std::memory_order_relaxed));
  }
  return !stop_.load(std::memory_order_relaxed);
}

}  // namespace relu
