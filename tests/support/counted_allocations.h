// Counts what operator new is asked for, in a program that calls one of these.

#ifndef TESTS_SUPPORT_COUNTED_ALLOCATIONS_H_
#define TESTS_SUPPORT_COUNTED_ALLOCATIONS_H_

#include <cstdint>

namespace relu {

// Calls of operator new so far, by all threads. Not those for over-aligned
// types.
std::int64_t Allocations();

// The same by the thread that calls.
std::int64_t AllocationsOfThread();

}  // namespace relu

#endif  // TESTS_SUPPORT_COUNTED_ALLOCATIONS_H_
