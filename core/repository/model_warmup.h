// What model_warmup in config.pbtxt says: requests that a model answers before
// it is served, so that clients do not wait for whatever is slow at first.

#ifndef CORE_REPOSITORY_MODEL_WARMUP_H_
#define CORE_REPOSITORY_MODEL_WARMUP_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"

namespace inference {
class ModelWarmup;
}  // namespace inference

namespace relu {

class CompiledModel;

// One request of model_warmup.
struct WarmupSample {
  enum class Source : std::uint8_t {
    kZero,
    kRandom,  // Floats from 0 to 1, integers 0 and 1; the same at each load.
    kFile,    // The values of one row, as raw_input_contents would hold them.
  };
  struct Input {
    std::string name;
    DataType type = DataType::kFp32;
    // Without the batch dimension if the model has a max_batch_size.
    Shape dims;
    Source source = Source::kZero;
    std::string file;  // kFile: a path below the folder warmup of the model.
  };

  std::string name;
  std::int64_t batch_size = 1;
  int runs = 1;  // By each execution slot.
  std::vector<Input> inputs;
};

// The tensors of a sample, in the order of the model's inputs.
struct WarmupRequest {
  std::int64_t rows = 1;
  int runs = 1;
  std::vector<std::vector<std::byte>> inputs;
};

// Errors: INVALID_ARGUMENT if a value is out of its range or missing, or a file
// is named by a path that may lead elsewhere; UNIMPLEMENTED for a data_type
// without tensors.
absl::StatusOr<WarmupSample> ReadWarmup(const inference::ModelWarmup& message);

// `max_batch_size` is that of config.pbtxt; files are in `folder`. Errors, with
// the sample's name:
//   INVALID_ARGUMENT   it does not fit the model, a file does not fit its
//                      tensor or links out of `folder`, or all tensors of the
//                      sample take more than 256 MiB
//   those of ReadFile
absl::StatusOr<WarmupRequest> MakeWarmupRequest(
    const WarmupSample& sample, const CompiledModel& model,
    std::int64_t max_batch_size, const std::filesystem::path& folder);

}  // namespace relu

#endif  // CORE_REPOSITORY_MODEL_WARMUP_H_
