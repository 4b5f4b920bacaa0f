// The answer to a Rank call: which element of a model's output is the score,
// and which items have the best ones.

#ifndef SERVER_RANK_SCORES_H_
#define SERVER_RANK_SCORES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

#include "core/plan/compiled_model.h"

namespace relu {

namespace v1 {
class RankRequest;
}  // namespace v1

struct ScoreColumn {
  std::size_t output = 0;   // Of the model.
  std::size_t element = 0;  // Of a row of that output.
};

// Which the request asks for. NOT_FOUND if the model has no such output of
// floats; INVALID_ARGUMENT if it has no such element, or several and none is
// named.
absl::StatusOr<ScoreColumn> FindScoreColumn(const v1::RankRequest& request,
                                            const CompiledModel& model);

// Element `element` of each of `rows` rows of `output`, which lie at `values`.
// Exact: what the plan computes is no wider.
std::vector<float> ReadScores(const TensorSignature& output,
                              std::size_t element, std::int64_t rows,
                              const std::byte* values);

// The numbers of the `count` best items, or of all if there are fewer: by
// descending score; of equal scores the first, and NaN after all numbers.
std::vector<std::uint32_t> BestItems(std::span<const float> scores,
                                     std::size_t count);

}  // namespace relu

#endif  // SERVER_RANK_SCORES_H_
