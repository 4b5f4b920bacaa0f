#include "core/base/thread_team.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace relu {
namespace {

using std::chrono::microseconds;

TEST(ThreadTeamTest, EveryPieceOfEveryRunIsDoneOnce) {
  for (const int size : {1, 2, 3, 5}) {
    // Threads that sleep at once, and threads that do not sleep.
    for (const microseconds spin : {microseconds(0), microseconds(100000)}) {
      ThreadTeam team(size, spin);
      for (std::size_t run = 0; run <= 300; ++run) {
        // Not atomic: each piece has its own, and Run() makes it visible.
        std::vector<int> calls(run % 20);
        std::vector<int> members(calls.size(), -1);
        team.Run(calls.size(), [&](std::size_t piece, int member) {
          ++calls[piece];
          members[piece] = member;
        });
        ASSERT_EQ(calls, std::vector<int>(calls.size(), 1));
        ASSERT_TRUE(std::ranges::all_of(
            members, [&](int member) { return 0 <= member && member < size; }));
      }
    }
  }
}

TEST(ThreadTeamTest, WhatPiecesWroteIsVisibleToTheNextRun) {
  constexpr std::size_t kPieces = 7;
  ThreadTeam team(3);
  std::vector<int> values(kPieces, 0);
  std::vector<int> wrong(kPieces, 0);
  for (int round = 1; round <= 500; ++round) {
    team.Run(kPieces,
             [&](std::size_t piece, int /*member*/) { values[piece] = round; });
    team.Run(kPieces, [&](std::size_t piece, int /*member*/) {
      for (const int value : values) {
        wrong[piece] += value == round ? 0 : 1;
      }
    });
  }
  EXPECT_EQ(wrong, std::vector<int>(kPieces, 0));
}

TEST(ThreadTeamTest, MostPiecesAreDone) {
  ThreadTeam team(2);
  std::vector<int> calls(ThreadTeam::kMaxPieces);
  team.Run(calls.size(),
           [&](std::size_t piece, int /*member*/) { ++calls[piece]; });
  EXPECT_EQ(std::ranges::count(calls, 1),
            static_cast<std::ptrdiff_t>(calls.size()));
}

// A thread that has slept leaves the CPU of its caller, and may come back.
TEST(ThreadTeamTest, ThreadsMayStillRunOnEveryCpu) {
  cpu_set_t wanted;
  ASSERT_EQ(sched_getaffinity(0, sizeof(wanted), &wanted), 0);
  ThreadTeam team(2, microseconds(0));
  for (int run = 0; run < 100; ++run) {
    std::atomic<int> begun{0};
    std::vector<int> same(2, 0);
    team.Run(2, [&](std::size_t piece, int /*member*/) {
      ++begun;
      while (begun < 2) {  // So that both members have one.
        std::this_thread::yield();
      }
      cpu_set_t cpus;
      same[piece] = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 &&
                    CPU_EQUAL(&cpus, &wanted);
    });
    ASSERT_EQ(same, (std::vector<int>{1, 1}));
  }
}

TEST(TeamLeaseTest, OnlyOneHasTheTeam) {
  ThreadTeam team(2);
  {
    const TeamLease first(team);
    EXPECT_EQ(first.team(), &team);
    EXPECT_EQ(TeamLease(team).team(), nullptr);
    EXPECT_EQ(TeamLease(team).team(), nullptr);  // It gave nothing back.
  }
  EXPECT_EQ(TeamLease(team).team(), &team);
  EXPECT_EQ(TeamLease().team(), nullptr);
}

TEST(TeamLeaseTest, ManyThreadsShareATeam) {
  ThreadTeam team(2);
  std::vector<int> values(4, 0);  // Changed by whoever has the team.
  std::vector<std::thread> threads;
  std::atomic<int> runs{0};
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int attempt = 0; attempt < 300; ++attempt) {
        const TeamLease lease(team);
        if (lease.team() != nullptr) {
          lease.team()->Run(values.size(),
                            [&](std::size_t piece, int) { ++values[piece]; });
          ++runs;
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_GT(runs, 0);
  EXPECT_EQ(values, std::vector<int>(4, runs));
}

TEST(ThreadTeamTest, TeamWithoutWorkEnds) {
  const ThreadTeam asleep(4, microseconds(0));
  const ThreadTeam awake(4, microseconds(10000000));
}

}  // namespace
}  // namespace relu
