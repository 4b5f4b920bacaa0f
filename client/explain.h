// What InferenceClient::Explain() asks a relud server, and its answer: what
// each input contributes to an output. proto/relu.proto says what the figures
// mean.
//
// This header is installed; it includes neither gRPC nor protobuf.

#ifndef CLIENT_EXPLAIN_H_
#define CLIENT_EXPLAIN_H_

#include <cstdint>
#include <string>
#include <vector>

namespace relu {

enum class ExplainMethod : std::uint8_t {
  kGradient,
  kIntegratedGradients,
  kExactIntegratedGradients,
};

// Rows of one input of the model, whatever its type.
struct ExplainRows {
  std::string name;
  std::vector<std::int64_t> shape;  // With the number of rows first.
  std::vector<double> data;         // Row-major.
};

struct ExplainRequest {
  std::string model;
  std::string version;                 // Empty: the latest.
  std::vector<ExplainRows> inputs;     // All that the model has.
  std::vector<ExplainRows> baseline;   // The same with one row, or as many.
  std::string output;                  // Empty: the first of floats.
  std::vector<std::int64_t> elements;  // Empty: the largest of each row.
  ExplainMethod method = ExplainMethod::kGradient;
  std::uint32_t top_k = 0;  // 0: all, in the inputs' order.
};

struct InputContribution {
  std::string input;
  std::int64_t element = 0;  // Of a row of the input.
  double value = 0.0;
  double baseline = 0.0;
  double gradient = 0.0;
  double contribution = 0.0;
};

struct ExplainedElement {
  std::int64_t row = 0;
  std::int64_t element = 0;  // Of the output.
  double value = 0.0;
  double answer = 0.0;
  double baseline_value = 0.0;
  double intercept = 0.0;
  double remainder = 0.0;
  std::int64_t kinks = 0;
  std::int64_t pieces = 0;
  std::vector<InputContribution> contributions;
};

// What the server's check of the model's domain has found in the rows.
struct ExplainFindings {
  // Outside of it: how many, the first 256, the first value in words, and how
  // many of them were moved to the nearest of the domain.
  std::int64_t out_of_domain_rows = 0;
  std::vector<std::int64_t> out_of_domain_list = {};
  std::string out_of_domain_first = {};
  std::int64_t clamped_rows = 0;
};

struct ExplainResult {
  std::string model_name;
  std::string model_version;
  std::string output;
  std::string explained;
  std::string link;
  std::vector<ExplainedElement> explanations;
  ExplainFindings findings = {};
};

}  // namespace relu

#endif  // CLIENT_EXPLAIN_H_
