// Rank of the real relud binary, through the client library: to the bit what
// ModelInfer answers for full rows, also while other requests share the
// batches. RELUD names the binary.

#include "client/rank.h"

#include <signal.h>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/infer_request.h"
#include "client/infer_result.h"
#include "client/inference_client.h"
#include "tests/integration/repository_builder.h"
#include "tests/integration/server_process.h"

namespace relu {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kPixels = 64;

std::vector<float> RandomPixels(std::size_t count, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<float> pixels(count);
  for (float& pixel : pixels) {
    pixel = static_cast<float>(random() % 17) / 16;
  }
  return pixels;
}

class RankTest : public testing::Test {
 protected:
  void SetUp() override {
    repository_.Add("digits", "tests/testdata/models/digits_mlp/model.onnx");
    auto started = ServerProcess::Start(std::getenv("RELUD"),
                                        ReludFlags(repository_.folder()));
    ASSERT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
    auto client = InferenceClient::Create(server_->grpc_address());
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
    const auto metadata = client_->ModelMetadata("digits");
    ASSERT_TRUE(metadata.ok()) << metadata.status();
    input_ = metadata->inputs[0].name;
    output_ = metadata->outputs[0].name;
  }

  // Ranks `items` of which the first `shared` pixels are the same, and compares
  // with the answers to the full rows.
  void ExpectBitsOfFullRows(std::int64_t items, std::int64_t shared,
                            std::uint32_t seed) {
    const auto own = static_cast<std::size_t>(kPixels - shared);
    const std::vector<float> common =
        RandomPixels(static_cast<std::size_t>(shared), seed);
    const std::vector<float> others =
        RandomPixels(static_cast<std::size_t>(items) * own, seed + 1);
    std::vector<float> rows;
    for (std::int64_t i = 0; i < items; ++i) {
      rows.insert(rows.end(), common.begin(), common.end());
      const auto first = others.begin() + i * static_cast<std::int64_t>(own);
      rows.insert(rows.end(), first, first + static_cast<std::int64_t>(own));
    }
    RankRequest request;
    request.model = "digits";
    request.shared = {RankValues<float>(input_, {1, shared}, common)};
    request.items = {
        RankValues<float>(input_, {items, kPixels - shared}, others)};
    request.element = 7;
    const auto result = client_->Rank(request);
    InferRequest full("digits");
    full.AddInput<float>(input_, std::vector<std::int64_t>{items, kPixels},
                         std::span<const float>(rows));
    const auto answers = client_->Infer(full);
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_TRUE(answers.ok()) << answers.status();
    const auto values = answers->Values<float>(output_);
    ASSERT_TRUE(values.ok()) << values.status();
    ASSERT_EQ(result->scores.size(), static_cast<std::size_t>(items));
    for (std::size_t i = 0; i < result->scores.size(); ++i) {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(result->scores[i]),
                std::bit_cast<std::uint32_t>((*values)[i * 10 + 7]))
          << "item " << i << " of " << items << " that share " << shared;
    }
  }

  RepositoryBuilder repository_;
  std::unique_ptr<ServerProcess> server_;
  std::unique_ptr<InferenceClient> client_;
  std::string input_;
  std::string output_;
};

TEST_F(RankTest, ScoresAreThoseOfFullRowsWhateverElseIsServed) {
  // What the items stand beside in their batches.
  std::atomic<bool> stop = false;
  std::thread others([&] {
    std::uint32_t seed = 1000;
    while (!stop) {
      const std::vector<float> pixels = RandomPixels(3 * 64, ++seed);
      InferRequest request("digits");
      request.AddInput<float>(input_, std::vector<std::int64_t>{3, kPixels},
                              std::span<const float>(pixels));
      EXPECT_TRUE(client_->Infer(request).ok());
    }
  });
  std::uint32_t seed = 1;
  for (const std::int64_t items : {1, 5, 64, 130, 512}) {
    for (const std::int64_t shared : {0, 16, 40, 63, 64}) {
      ExpectBitsOfFullRows(items, shared, seed += 2);
    }
  }
  stop = true;
  others.join();
  EXPECT_EQ(server_->Stop(SIGTERM), 0);
}

TEST_F(RankTest, NanOfAnItemIsTold) {
  std::vector<float> items = RandomPixels(3 * 48, /*seed=*/2);
  items[50] = std::numeric_limits<float>::quiet_NaN();
  RankRequest request;
  request.model = "digits";
  request.shared = {
      RankValues<float>(input_, {1, 16}, RandomPixels(16, /*seed=*/1))};
  request.items = {RankValues<float>(input_, {3, 48}, items)};
  request.element = 7;
  const auto result = client_->Rank(request);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->findings.nonfinite_items, 1);
  EXPECT_EQ(result->findings.nonfinite_shared_values, 0);
  EXPECT_EQ(result->findings.nonfinite_outputs, 1);
}

TEST_F(RankTest, ErrorsSayWhatIsWrong) {
  RankRequest request;
  request.model = "digits";
  request.items = {
      RankValues<float>(input_, {1, 63}, RandomPixels(63, /*seed=*/1))};
  request.element = 7;
  const absl::Status status = client_->Rank(request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("[1,63], expected"));
}

}  // namespace
}  // namespace relu
