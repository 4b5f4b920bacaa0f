// libFuzzer target: the bytes of a ModelInfer request, to a model with integer
// inputs, embedding tables and a label among its outputs. Tensors may be in
// the shared memory region "r".

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>

#include "absl/status/status.h"

#include "core/base/check.h"
#include "core/batching/inference_request.h"
#include "core/batching/scheduler.h"
#include "core/metrics/metrics.h"
#include "core/repository/model_repository.h"
#include "server/infer_exchange.h"
#include "server/shared_memory.h"
#include "tests/server/memory_object.h"

namespace {

class Target {
 public:
  Target() {
    auto loaded =
        relu::ModelRepository::Load({.folder = "deploy/models"}, metrics_);
    CHECK(loaded.ok());
    repository_ = *std::move(loaded);
    CHECK(repository_->ready());
    const relu::MemoryObject object(4096);
    CHECK(shared_memory_
              .Register({.name = "r", .key = object.key(), .byte_size = 4096})
              .ok());
  }

  void Call(const std::uint8_t* bytes, std::size_t size) {
    const relu::InferEnvironment environment{
        .repository = *repository_,
        .metrics = metrics_,
        .max_message_bytes = std::size_t{1} << 20,
        .shared_memory = &shared_memory_};
    relu::InferExchange exchange(environment);
    // There is no limit that it could pass.
    (void)exchange.BeginDecode(relu::InferExchange::Clock::now(), size);
    CHECK(size <= std::numeric_limits<int>::max());
    if (!exchange.message().ParseFromArray(bytes, static_cast<int>(size))) {
      return;
    }
    absl::Status status =
        exchange.Prepare(relu::InferExchange::Clock::time_point::max());
    if (status.ok()) {
      bool answered = false;
      exchange.inference().done = [&](const absl::Status& result) {
        status = result;
        answered = true;
      };
      relu::InferenceRequest* const requests[] = {&exchange.inference()};
      exchange.model().scheduler().Submit(requests);
      CHECK(answered);  // Nobody else is there: it ran at once.
    }
    if (status.ok()) {
      status = exchange.BeginEncode();
    }
    exchange.Finish(status);
  }

 private:
  relu::Metrics metrics_{"fuzz"};
  std::unique_ptr<relu::ModelRepository> repository_;
  relu::SharedMemoryRegions shared_memory_;
};

}  // namespace

// Its name is given by libFuzzer.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes,
                                      std::size_t size) {
  static Target target;
  target.Call(bytes, size);
  return 0;
}
