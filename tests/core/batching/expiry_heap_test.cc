#include "core/batching/expiry_heap.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <random>
#include <vector>

#include "gtest/gtest.h"

#include "core/batching/inference_request.h"

namespace relu {
namespace {

using Clock = InferenceRequest::Clock;

Clock::time_point AfterUs(int time) {
  return Clock::time_point(std::chrono::microseconds(time));
}

TEST(ExpiryHeapTest, EmptyHeapNeverExpires) {
  EXPECT_EQ(ExpiryHeap().next(), Clock::time_point::max());
}

TEST(ExpiryHeapTest, RequestThatNeverExpiresIsNotAdded) {
  ExpiryHeap heap;
  InferenceRequest request;
  heap.Add(request);
  EXPECT_EQ(heap.next(), Clock::time_point::max());
  heap.Remove(request);
}

TEST(ExpiryHeapTest, SecondRemovalDoesNothing) {
  ExpiryHeap heap;
  std::array<InferenceRequest, 2> requests;
  for (InferenceRequest& request : requests) {
    request.progress.expiry = AfterUs(5);
    heap.Add(request);
  }
  heap.Remove(requests[0]);
  heap.Remove(requests[0]);
  EXPECT_EQ(&heap.first(), &requests[1]);
}

TEST(ExpiryHeapTest, FirstIsTheEarliestWhateverComesAndGoes) {
  std::mt19937 random(20240612);
  std::vector<InferenceRequest> requests(200);
  std::vector<InferenceRequest*> inside;
  ExpiryHeap heap;
  for (int step = 0; step < 5000; ++step) {
    InferenceRequest& request = requests[random() % requests.size()];
    const auto found = std::ranges::find(inside, &request);
    if (found == inside.end()) {
      request.progress.expiry = AfterUs(static_cast<int>(random() % 1000));
      heap.Add(request);
      inside.push_back(&request);
    } else {
      heap.Remove(request);
      inside.erase(found);
    }
    Clock::time_point earliest = Clock::time_point::max();
    for (const InferenceRequest* one : inside) {
      earliest = std::min(earliest, one->progress.expiry);
    }
    ASSERT_EQ(heap.next(), earliest) << step;
  }
}

}  // namespace
}  // namespace relu
