// ValueNames: the names of the values of a graph while it is built of an ONNX
// file, and whether anything is still to read a value.

#ifndef CORE_GRAPH_VALUE_NAMES_H_
#define CORE_GRAPH_VALUE_NAMES_H_

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/graph/graph.h"

namespace onnx {
class NodeProto;
}  // namespace onnx

namespace relu {

// A value may have several names, and names may be read before they are given
// to one. For one thread.
class ValueNames {
 public:
  // The name will be read once more. A read that never ends keeps the value.
  void AddRead(std::string_view name);
  void AddReads(const onnx::NodeProto& node);  // Of all its inputs.
  // Ends those of AddReads().
  void EndReads(const onnx::NodeProto& node);

  // Gives a value a name. INVALID_ARGUMENT if the name is taken or empty.
  absl::Status Add(std::string_view name, ValueId id);
  // Keeps the value, whose name is no longer of use to whoever reads it.
  void Keep(ValueId id);

  // kNoValue if no value has the name.
  ValueId Find(std::string_view name) const;
  // The inputs of a node; kNoValue where they are left out. INVALID_ARGUMENT,
  // naming the node, if no value has the name of one.
  absl::StatusOr<std::vector<ValueId>> FindInputs(
      const onnx::NodeProto& node) const;

  // Whether a read has not ended.
  bool IsRead(std::string_view name) const;
  // The same for any of the names of a value.
  bool IsRead(ValueId id) const;

 private:
  struct Name {
    ValueId id = kNoValue;
    std::size_t reads = 0;
  };
  std::size_t& ReadsOf(ValueId id);

  std::map<std::string, Name, std::less<>> names_;
  std::vector<std::size_t> reads_;  // Of all names of a value, by its id.
};

}  // namespace relu

#endif  // CORE_GRAPH_VALUE_NAMES_H_
