// GuaranteeNotes: what a server says of rows that it answered all the same: NaN
// and infinity, values outside of the model's domain.

#ifndef CLIENT_CLI_GUARANTEE_NOTES_H_
#define CLIENT_CLI_GUARANTEE_NOTES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "client/explain.h"
#include "client/inference_client.h"
#include "client/rank.h"

namespace relu {

// For one thread.
class GuaranteeNotes {
 public:
  // Of one more answer.
  void Add(const InferResult& answer);
  // The items are its rows.
  void Add(const RankFindings& findings);
  void Add(const ExplainFindings& findings);

  // One line each, for people; empty: there is nothing to say.
  std::vector<std::string> Lines() const;

 private:
  void AddOutside(std::int64_t rows, std::int64_t clamped_rows,
                  const std::string& first);

  std::int64_t nonfinite_input_rows_ = 0;
  std::int64_t nonfinite_shared_values_ = 0;
  std::int64_t nonfinite_output_rows_ = 0;
  std::int64_t outside_rows_ = 0;
  std::string first_outside_;  // Its row counts from that of its request.
  bool clamped_ = false;
};

}  // namespace relu

#endif  // CLIENT_CLI_GUARANTEE_NOTES_H_
