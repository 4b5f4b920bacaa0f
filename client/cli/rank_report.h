// What `reluctl rank` prints: items with their scores.

#ifndef CLIENT_CLI_RANK_REPORT_H_
#define CLIENT_CLI_RANK_REPORT_H_

#include <string>
#include <vector>

#include "client/cli/output_form.h"
#include "client/rank.h"

namespace relu {

// One line for each item: its number, from 0, and its score; and its label, if
// `labels` has one for each item. As JSON with every value in full; what JSON
// has no number for is "NaN", "Infinity" or "-Infinity".
std::string RankReport(const RankResult& result,
                       const std::vector<double>& labels, OutputForm form);

}  // namespace relu

#endif  // CLIENT_CLI_RANK_REPORT_H_
