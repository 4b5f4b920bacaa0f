// The few functions of ONNX Runtime's C interface that the benchmark calls.
//
// The library is loaded while the program runs, and packages that carry it (the
// npm package onnxruntime-node) come without its header. The interface is a
// table of functions, of which version 1 never changes: functions are only ever
// added at the end. So a function is its place in the table and its type.

#ifndef TESTS_BENCHMARK_ONNXRUNTIME_API_H_
#define TESTS_BENCHMARK_ONNXRUNTIME_API_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace relu::benchmarks::ort {

struct Status;
struct Environment;
struct SessionOptions;
struct Session;
struct RunOptions;
struct MemoryInfo;
struct Value;

inline constexpr int kLogErrors = 3;
inline constexpr int kAllOptimizations = 99;
inline constexpr int kDeviceAllocator = 0;
inline constexpr int kDefaultMemory = 0;

// The place of a function in the table, and its type.
template <std::size_t kPlace, typename Signature>
struct Function {};

using GetErrorMessage = Function<2, const char*(const Status*)>;
using CreateEnvironment =
    Function<3, Status*(int log_level, const char* log_id, Environment**)>;
using CreateSessionFromArray =
    Function<8, Status*(const Environment*, const void* model,
                        std::size_t model_bytes, const SessionOptions*,
                        Session**)>;
using Run =
    Function<9,
             Status*(Session*, const RunOptions*,
                     const char* const* input_names, const Value* const* inputs,
                     std::size_t input_count, const char* const* output_names,
                     std::size_t output_count, Value** outputs)>;
using CreateSessionOptions = Function<10, Status*(SessionOptions**)>;
using SetGraphOptimization = Function<23, Status*(SessionOptions*, int level)>;
using SetIntraOpThreads = Function<24, Status*(SessionOptions*, int threads)>;
using CreateTensorWithData =
    Function<49, Status*(const MemoryInfo*, void* data, std::size_t data_bytes,
                         const std::int64_t* shape, std::size_t rank,
                         int element_type, Value**)>;
using CreateCpuMemoryInfo =
    Function<69, Status*(int allocator, int memory, MemoryInfo**)>;
using ReleaseEnvironment = Function<92, void(Environment*)>;
using ReleaseStatus = Function<93, void(Status*)>;
using ReleaseMemoryInfo = Function<94, void(MemoryInfo*)>;
using ReleaseSession = Function<95, void(Session*)>;
using ReleaseValue = Function<96, void(Value*)>;
using ReleaseSessionOptions = Function<100, void(SessionOptions*)>;

// The loaded library, which is never unloaded. Thread-compatible.
class Api {
 public:
  // NOT_FOUND if `library` cannot be loaded or is something else.
  static absl::StatusOr<Api> Load(const std::filesystem::path& library);

  // The address of a function.
  template <std::size_t kPlace, typename Signature>
  Signature* operator[](Function<kPlace, Signature> /*function*/) const {
    return reinterpret_cast<Signature*>(table_[kPlace]);
  }

  // INTERNAL with the library's message if `status` is one; frees it.
  absl::Status ToStatus(Status* status) const;

  const std::string& version() const { return version_; }

 private:
  void* const* table_ = nullptr;
  std::string version_;
};

}  // namespace relu::benchmarks::ort

#endif  // TESTS_BENCHMARK_ONNXRUNTIME_API_H_
