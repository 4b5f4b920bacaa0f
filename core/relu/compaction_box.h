// The inputs that a model was made smaller for (reluctl inspect --compact), as
// its file says: for others its answers are not those of the original.

#ifndef CORE_RELU_COMPACTION_BOX_H_
#define CORE_RELU_COMPACTION_BOX_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "core/relu/input_domain.h"
#include "core/relu/leaf_box.h"
#include "core/relu/piecewise_network.h"

namespace relu {

// The keys of all entries begin so.
inline constexpr std::string_view kCompactionBoxKey = "relud.compact.box";

// Entries of metadata_props.
using OnnxMetadata = std::map<std::string, std::string, std::less<>>;

// For each input whose elements may not be anything, an entry
// "relud.compact.box.INPUT" with its rules, as core/relu/domain_rule.h reads
// them.
OnnxMetadata MetadataOfBox(const PiecewiseNetwork& network,
                           const InputBox& box);

// What such entries say; empty if there are none. INVALID_ARGUMENT, with the
// entry, if it does not say it so.
absl::StatusOr<std::vector<InputRules>> BoxOfMetadata(
    const OnnxMetadata& metadata);

}  // namespace relu

#endif  // CORE_RELU_COMPACTION_BOX_H_
