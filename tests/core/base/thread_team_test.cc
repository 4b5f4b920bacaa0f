#include "core/base/thread_team.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

using std::chrono::microseconds;

// A run of one stage.
void RunPieces(ThreadTeam& team, std::size_t pieces,
               absl::FunctionRef<void(std::size_t piece, int member)> work) {
  team.Run(
      1, [&](std::size_t /*stage*/) { return pieces; },
      [&](std::size_t /*stage*/, std::size_t piece, int member) {
        work(piece, member);
      });
}

TEST(ThreadTeamTest, EveryPieceOfEveryStageIsDoneOnce) {
  for (const int size : {1, 2, 3, 5}) {
    // Threads that sleep at once, and threads that do not sleep.
    for (const microseconds spin : {microseconds(0), microseconds(100000)}) {
      ThreadTeam team(size, spin);
      for (std::size_t run = 0; run <= 300; ++run) {
        // Not atomic: each piece has its own, and Run() makes it visible. Some
        // stages have no pieces, the first or the last among them.
        std::vector<std::vector<int>> members(run % 7);
        for (std::size_t stage = 0; stage < members.size(); ++stage) {
          members[stage].assign((run + stage) % 5, -1);
        }
        std::atomic<int> again{0};
        team.Run(
            members.size(),
            [&](std::size_t stage) { return members[stage].size(); },
            [&](std::size_t stage, std::size_t piece, int member) {
              again += members[stage][piece] == -1 ? 0 : 1;
              members[stage][piece] = member;
            });
        ASSERT_EQ(again, 0);
        for (const std::vector<int>& of_stage : members) {
          ASSERT_TRUE(std::ranges::all_of(of_stage, [&](int member) {
            return 0 <= member && member < size;
          }));
        }
      }
    }
  }
}

// Every piece of a stage reads what all pieces of the one before wrote.
TEST(ThreadTeamTest, StageBeginsWhenTheOneBeforeIsDone) {
  constexpr std::size_t kStages = 50;
  constexpr std::size_t kPieces = 7;
  for (const microseconds spin : {microseconds(0), microseconds(100000)}) {
    ThreadTeam team(3, spin);
    std::vector<std::size_t> values(kPieces, 0);
    std::vector<std::size_t> before(kPieces, 0);
    std::vector<std::size_t> wrong(kPieces, 0);
    for (std::size_t round = 0; round < 30; ++round) {
      // Of one piece at times, so that the others wait for whoever has it.
      const auto pieces = [](std::size_t stage) {
        return stage % 4 == 3 ? std::size_t{1} : kPieces;
      };
      team.Run(kStages, pieces,
               [&](std::size_t stage, std::size_t piece, int /*member*/) {
                 const std::size_t now = round * kStages + stage + 1;
                 if (pieces(stage) == 1) {
                   std::ranges::fill(values, now);
                   return;
                 }
                 std::vector<std::size_t>& to =
                     stage % 2 == 0 ? before : values;
                 const std::vector<std::size_t>& from =
                     stage % 2 == 0 ? values : before;
                 for (const std::size_t value : from) {
                   wrong[piece] += value + 1 == now ? 0 : 1;
                 }
                 to[piece] = now;
               });
      // Where the last stage left them.
      values = before =
          std::vector<std::size_t>(kPieces, (round + 1) * kStages);
    }
    EXPECT_EQ(wrong, std::vector<std::size_t>(kPieces, 0));
  }
}

TEST(ThreadTeamTest, WhatPiecesWroteIsVisibleToTheNextRun) {
  constexpr std::size_t kPieces = 7;
  ThreadTeam team(3);
  std::vector<int> values(kPieces, 0);
  std::vector<int> wrong(kPieces, 0);
  for (int round = 1; round <= 500; ++round) {
    RunPieces(team, kPieces, [&](std::size_t piece, int /*member*/) {
      values[piece] = round;
    });
    RunPieces(team, kPieces, [&](std::size_t piece, int /*member*/) {
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
  RunPieces(team, calls.size(),
            [&](std::size_t piece, int /*member*/) { ++calls[piece]; });
  EXPECT_EQ(std::ranges::count(calls, 1),
            static_cast<std::ptrdiff_t>(calls.size()));
}

// Threads that sleep at once are woken for every stage, whoever offers it: no
// piece ends before all members have one. A wake that is lost would hang.
TEST(ThreadTeamTest, ThreadsThatSleepTakePiecesOfEveryStage) {
  constexpr std::size_t kStages = 1000;
  constexpr int kMembers = 3;
  ThreadTeam team(kMembers, microseconds(0));
  std::vector<std::atomic<int>> begun(kStages);
  team.Run(
      kStages,
      // Between the others one of one piece: two members find none.
      [](std::size_t stage) { return stage % 2 == 0 ? kMembers : 1; },
      [&](std::size_t stage, std::size_t /*piece*/, int /*member*/) {
        ++begun[stage];
        while (stage % 2 == 0 && begun[stage] < kMembers) {
          std::this_thread::yield();
        }
      });
  for (std::size_t stage = 0; stage < kStages; ++stage) {
    ASSERT_EQ(begun[stage], stage % 2 == 0 ? kMembers : 1);
  }
}

// A thread that has slept leaves the CPU of its caller, and may come back.
TEST(ThreadTeamTest, ThreadsMayStillRunOnEveryCpu) {
  cpu_set_t wanted;
  ASSERT_EQ(sched_getaffinity(0, sizeof(wanted), &wanted), 0);
  ThreadTeam team(2, microseconds(0));
  for (int run = 0; run < 100; ++run) {
    std::atomic<int> begun{0};
    std::vector<int> same(2, 0);
    RunPieces(team, 2, [&](std::size_t piece, int /*member*/) {
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
          RunPieces(*lease.team(), values.size(),
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
