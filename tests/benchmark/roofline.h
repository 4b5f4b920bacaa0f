// What this CPU can do at most: the two limits that the times of engines are
// held against.

#ifndef TESTS_BENCHMARK_ROOFLINE_H_
#define TESTS_BENCHMARK_ROOFLINE_H_

#include <cstddef>

namespace relu::benchmarks {

// Twelve independent chains of `steps` fused multiply-adds on registers, with
// the widest that the kernels would take. Returns the number of floating-point
// operations.
double MultiplyAdd(std::size_t steps);

// Memory to be read as fast as it can be: in one stream and, where the system
// has them, from pages of 2 MB. (Measured on a Zen 4 with 100 MB: 29 GB/s, 17
// from pages of 4 KB, 22 from those in four streams. In the caches it is all
// the same.)
class ReadableMemory {
 public:
  // Of `size_bytes`, rounded up a little.
  explicit ReadableMemory(std::size_t size_bytes);
  ReadableMemory(const ReadableMemory&) = delete;
  ReadableMemory& operator=(const ReadableMemory&) = delete;
  ~ReadableMemory();

  // What Read() reads.
  std::size_t size_bytes() const { return size_bytes_; }
  void Read() const;

 private:
  std::size_t size_bytes_;
  std::size_t mapped_bytes_;
  void* mapped_;
  const float* values_;  // In mapped_.
};

}  // namespace relu::benchmarks

#endif  // TESTS_BENCHMARK_ROOFLINE_H_
