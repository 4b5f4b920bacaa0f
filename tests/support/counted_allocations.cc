#include "tests/support/counted_allocations.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace relu {
namespace {

std::atomic<std::int64_t> allocations{0};
thread_local std::int64_t allocations_of_thread = 0;

void* Allocate(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  ++allocations_of_thread;
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) {
    std::abort();
  }
  return memory;
}

}  // namespace

std::int64_t Allocations() {
  return allocations.load(std::memory_order_relaxed);
}

std::int64_t AllocationsOfThread() { return allocations_of_thread; }

}  // namespace relu

// These replace those of the library.
void* operator new(std::size_t size) { return relu::Allocate(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return relu::Allocate(size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
