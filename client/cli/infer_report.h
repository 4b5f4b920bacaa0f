// What `reluctl infer` prints: the results as a table or as JSON.

#ifndef CLIENT_CLI_INFER_REPORT_H_
#define CLIENT_CLI_INFER_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/cli/predictions.h"
#include "client/cli/results.h"

namespace relu {

struct InferReport {
  Results results;
  // One a row; empty if there are none.
  std::vector<Prediction> predictions;
  std::vector<double> labels;
};

// One line for each of the first `max_rows` rows (nullopt: all): outputs,
// prediction ("none" for a row without one), and, if there are labels, the
// label and whether they agree. Then the accuracy over all rows.
std::string ReportAsTable(const InferReport& report,
                          std::optional<std::int64_t> max_rows);

// One object with every value in full:
//   {"model_name": .., "model_version": .., "rows": 2,
//    "outputs": [{"name": .., "datatype": "FP32", "shape": [2,10],
//                 "data": [..]}],
//    "predictions": [..], "labels": [..], "correct": 1, "accuracy": 0.5}
// without what is not known. NaN and infinities are strings: "NaN",
// "Infinity", "-Infinity". The prediction of a row without one is null.
std::string ReportAsJson(const InferReport& report);

// A line of names, and one for each row: the elements of the outputs, then the
// prediction (nothing for a row without one) and the label if they are known.
std::string ReportAsCsv(const InferReport& report);

}  // namespace relu

#endif  // CLIENT_CLI_INFER_REPORT_H_
