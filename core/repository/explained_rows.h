// Rows that are to be explained, checked against the domain of their model.

#ifndef CORE_REPOSITORY_EXPLAINED_ROWS_H_
#define CORE_REPOSITORY_EXPLAINED_ROWS_H_

#include "absl/status/status.h"

#include "core/relu/leaf_rows.h"
#include "core/relu/piecewise_network.h"
#include "core/repository/model_guarantees.h"

namespace relu {

// Does with rows of `network` what is done with those of an inference: they are
// refused (INVALID_ARGUMENT), flagged in `findings`, or moved to the nearest of
// the domain, so that what is explained is what the model answers. Only the
// metrics are left alone. `guarantees` are those of the network's model.
absl::Status CheckExplainedRows(const ModelGuarantees& guarantees,
                                const PiecewiseNetwork& network,
                                InputRows& rows, GuaranteeFindings& findings);

}  // namespace relu

#endif  // CORE_REPOSITORY_EXPLAINED_ROWS_H_
