// What the tests of server/v2_codec.h share: real models, and both halves of
// the codec.

#ifndef TESTS_SERVER_V2_CODEC_TESTING_H_
#define TESTS_SERVER_V2_CODEC_TESTING_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/batching/inference_request.h"
#include "proto/inference.pb.h"
#include "server/shared_memory.h"
#include "server/v2_codec.h"
#include "tests/server/loaded_repository.h"
#include "tests/server/memory_object.h"

namespace relu {

// The models are loaded once: they do not change.
class V2CodecTest : public testing::Test {
 protected:
  static constexpr std::size_t kMaxBytes = 1 << 20;

  static void SetUpTestSuite() {
    loaded_ = std::make_unique<LoadedRepository>(LoadedRepository::Options{
        .models = {"digits_mlp", "credit_embed", "iris_argmax"},
        .cast_model = true,
        .fixed_cast_model = true,
        .config = "max_batch_size: 8"});
  }
  static void TearDownTestSuite() { loaded_ = nullptr; }

  absl::Status Decode(const inference::ModelInferRequest& message) {
    return DecodeRequest(message, *loaded_->model(message.model_name()),
                         &shared_memory_, converted_, request_);
  }

  // Both halves of the codec.
  absl::Status Take(const inference::ModelInferRequest& message) {
    response_.Clear();
    const absl::Status status = Decode(message);
    return status.ok()
               ? PrepareResponse(message, *loaded_->model(message.model_name()),
                                 kMaxBytes, request_, response_)
               : status;
  }

  void ExpectInvalid(const inference::ModelInferRequest& message,
                     const std::string& words) {
    const absl::Status status = Take(message);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(std::string(status.message()), testing::HasSubstr(words));
  }

  // The object from `offset` on is the region "r".
  bool Register(const MemoryObject& object, std::uint64_t offset) {
    return shared_memory_
        .Register({.name = "r",
                   .key = object.key(),
                   .offset = offset,
                   .byte_size = object.size() - offset})
        .ok();
  }

  inline static std::unique_ptr<LoadedRepository> loaded_;

  SharedMemoryRegions shared_memory_;
  ConvertedInputs converted_;
  InferenceRequest request_;
  inference::ModelInferResponse response_;
};

inline inference::ModelInferRequest IrisRequest(std::int64_t rows) {
  inference::ModelInferRequest message;
  message.set_model_name("iris_argmax");
  AddRawInput(message, "input", "FP32", {rows, 4},
              std::vector<float>(static_cast<std::size_t>(rows * 4)));
  return message;
}

}  // namespace relu

#endif  // TESTS_SERVER_V2_CODEC_TESTING_H_
