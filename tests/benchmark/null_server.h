// The null RPC: a gRPC server that answers every ModelInfer with the same bytes
// and does nothing else, on the same gRPC and in the same way as relud does.

#ifndef TESTS_BENCHMARK_NULL_SERVER_H_
#define TESTS_BENCHMARK_NULL_SERVER_H_

#include <cstddef>

namespace relu::benchmarks {

// Serves with `threads` threads until the process is killed, or its parent is
// gone. Prints its address as relud logs it.
int RunNullServer(std::size_t answer_bytes, int threads);

}  // namespace relu::benchmarks

#endif  // TESTS_BENCHMARK_NULL_SERVER_H_
