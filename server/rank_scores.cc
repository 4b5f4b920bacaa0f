#include "server/rank_scores.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/plan/compiled_model.h"
#include "core/tensor/data_type.h"
#include "core/tensor/float16.h"
#include "fmt/format.h"
#include "proto/relu.pb.h"
#include "server/text.h"

namespace relu {
namespace {

bool HasScores(const TensorSignature& output) {
  return output.type == DataType::kFp32 || output.type == DataType::kFp64 ||
         output.type == DataType::kFp16 || output.type == DataType::kBf16;
}

template <typename T>
T Load(const std::byte* at) {
  T value{};
  std::memcpy(&value, at, sizeof(value));
  return value;
}

float ToFloat(DataType type, const std::byte* at) {
  switch (type) {
    case DataType::kFp64:
      return static_cast<float>(Load<double>(at));
    case DataType::kFp16:
      return Fp16ToFloat(Load<std::uint16_t>(at));
    case DataType::kBf16:
      return Bf16ToFloat(Load<std::uint16_t>(at));
    default:
      return Load<float>(at);
  }
}

}  // namespace

absl::StatusOr<ScoreColumn> FindScoreColumn(const v1::RankRequest& request,
                                            const CompiledModel& model) {
  const std::span<const TensorSignature> outputs = model.outputs();
  const auto output =
      std::ranges::find_if(outputs, [&](const TensorSignature& signature) {
        return HasScores(signature) &&
               (request.output().empty() || signature.name == request.output());
      });
  if (output == outputs.end()) {
    std::string names;
    for (const TensorSignature& signature : outputs) {
      if (HasScores(signature)) {
        names +=
            fmt::format("{}\"{}\"", names.empty() ? "" : ", ", signature.name);
      }
    }
    return absl::NotFoundError(fmt::format(
        "no output of floats \"{}\"; the model has {}",
        Printable(request.output()), names.empty() ? "none" : names));
  }
  const std::size_t elements = output->row_bytes / DataTypeSize(output->type);
  if (!request.has_element() && elements != 1) {
    return absl::InvalidArgumentError(
        fmt::format("output \"{}\" has {} elements for each item; say which of "
                    "them is the score",
                    output->name, elements));
  }
  if (request.element() >= elements) {
    return absl::InvalidArgumentError(
        fmt::format("element {} of output \"{}\", which has {} for each item",
                    request.element(), output->name, elements));
  }
  return ScoreColumn{
      .output = static_cast<std::size_t>(output - outputs.begin()),
      .element = request.element()};
}

std::vector<float> ReadScores(const TensorSignature& output,
                              std::size_t element, std::int64_t rows,
                              const std::byte* values) {
  const std::byte* at = values + element * DataTypeSize(output.type);
  std::vector<float> scores(static_cast<std::size_t>(rows));
  for (float& score : scores) {
    score = ToFloat(output.type, at);
    at += output.row_bytes;
  }
  return scores;
}

std::vector<std::uint32_t> BestItems(std::span<const float> scores,
                                     std::size_t count) {
  std::vector<std::uint32_t> items(scores.size());
  std::iota(items.begin(), items.end(), 0U);
  count = std::min(count, items.size());
  const auto is_better = [&](std::uint32_t a, std::uint32_t b) {
    const bool a_is_number = !std::isnan(scores[a]);
    const bool b_is_number = !std::isnan(scores[b]);
    if (a_is_number != b_is_number) {
      return a_is_number;
    }
    return a_is_number && scores[a] != scores[b] ? scores[a] > scores[b]
                                                 : a < b;
  };
  std::ranges::partial_sort(
      items, items.begin() + static_cast<std::ptrdiff_t>(count), is_better);
  items.resize(count);
  return items;
}

}  // namespace relu
