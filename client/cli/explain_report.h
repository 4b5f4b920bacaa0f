// What `reluctl explain` prints: contributions as tables or as JSON.

#ifndef CLIENT_CLI_EXPLAIN_REPORT_H_
#define CLIENT_CLI_EXPLAIN_REPORT_H_

#include <string>
#include <vector>

#include "client/cli/rows.h"
#include "client/explain.h"

namespace relu {

class ExplainReport {
 public:
  // `columns` are the names of all elements of all inputs, or empty; then they
  // are called "dense[3]".
  ExplainReport(ExplainResult result, const ModelInputs& inputs,
                const std::vector<std::string>& columns, bool has_baseline);

  // For each explanation a line that says what is explained, a line for each
  // contribution, and what these leave out.
  std::string Table() const;

  // One object with every value in full: the fields of ExplainResponse but for
  // `findings`, and "feature" of each contribution.
  std::string Json() const;

 private:
  std::string FeatureOf(const InputContribution& contribution) const;
  std::string Heading(const ExplainedElement& explained) const;
  std::string Contributions(const ExplainedElement& explained) const;

  const ExplainResult result_;
  const ModelInputs& inputs_;  // Outlive the report.
  const std::vector<std::string>& columns_;
  const bool has_baseline_;
};

}  // namespace relu

#endif  // CLIENT_CLI_EXPLAIN_REPORT_H_
