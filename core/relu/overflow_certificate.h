// OverflowCertificate: a proof that a network overflows for no input of a
// domain.

#ifndef CORE_RELU_OVERFLOW_CERTIFICATE_H_
#define CORE_RELU_OVERFLOW_CERTIFICATE_H_

#include <string>

#include "core/graph/graph.h"
#include "core/plan/compile_options.h"
#include "core/relu/input_domain.h"
#include "core/relu/leaf_box.h"
#include "core/relu/value_bounds.h"

namespace relu {

struct OverflowCertificate {
  // For every input of the domain no value of the network, and no part of a
  // sum, is infinite or NaN, as float32 computes it and as it is stored; nor is
  // an output, if its type has less range.
  bool certified = false;
  // Why it is not certified; empty if it is.
  std::string reason = {};
  // No value and no part of a sum is larger in size; 0 if nothing is proven.
  double largest_value = 0.0;
};

struct CertificateOptions {
  WeightStorage weights = WeightStorage::kFloat32;
  // float16 is for engines that do so; ours stores values as float32.
  ValueStorage values = ValueStorage::kFloat32;
  // If intervals do not prove it, CROWN does as far as that takes no more than
  // so many multiply-adds.
  double max_multiply_adds = 1e9;
};

// Of all outputs of floats. Takes, at most, the time and memory that the
// network takes in double precision, and that of max_multiply_adds for each
// output.
OverflowCertificate CertifyNoOverflow(const Graph& graph,
                                      const InputDomain& domain,
                                      const CertificateOptions& options = {});

// The same of a box of all inputs of the graph in the place of a domain.
OverflowCertificate CertifyNoOverflow(const Graph& graph, const InputBox& box,
                                      const CertificateOptions& options = {});

// For people: "certified: ..." or "not certified: ...".
std::string CertificateText(const OverflowCertificate& certificate);

}  // namespace relu

#endif  // CORE_RELU_OVERFLOW_CERTIFICATE_H_
