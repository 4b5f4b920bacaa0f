// ExpectedAnswer: what the answer to a request must hold.

#ifndef CLIENT_LOAD_EXPECTED_ANSWER_H_
#define CLIENT_LOAD_EXPECTED_ANSWER_H_

#include <string>
#include <string_view>
#include <vector>

namespace relu::load {

struct ExpectedOutput {
  std::string name;
  std::string datatype;
  std::string bytes;  // Row-major, little-endian.
};

// Immutable, so any number of threads may use it.
class ExpectedAnswer {
 public:
  // `tolerance` is relative to the expected value, and absolute for those below
  // 1. 0: the same bits (NaN equals NaN of the same bits).
  ExpectedAnswer(std::vector<ExpectedOutput> outputs, double tolerance);

  // Compares with a serialized ModelInferResponse, which may have further
  // outputs. Returns what differs first, or an empty text.
  std::string Difference(std::string_view message) const;

 private:
  std::vector<ExpectedOutput> outputs_;
  double tolerance_;
};

}  // namespace relu::load

#endif  // CLIENT_LOAD_EXPECTED_ANSWER_H_
