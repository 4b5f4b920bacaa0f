// RETURN_IF_ERROR and ASSIGN_OR_RETURN: the only control-flow macros we allow.
// (absl 20220623, the version Debian 12 ships, has neither.)

#ifndef CORE_BASE_STATUS_MACROS_H_
#define CORE_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns from the enclosing function if `expr`, an absl::Status, is an error.
#define RETURN_IF_ERROR(expr)                                     \
  do {                                                            \
    if (absl::Status expr_status_ = (expr); !expr_status_.ok()) { \
      return expr_status_;                                        \
    }                                                             \
  } while (false)

// Assigns the value of `expr`, an absl::StatusOr<T>, to `lhs`, or returns its
// error. `lhs` may be a declaration: ASSIGN_OR_RETURN(Graph graph, Import(f));
#define ASSIGN_OR_RETURN(lhs, expr) \
  ASSIGN_OR_RETURN_IMPL_(RELU_CONCAT_(status_or_, __LINE__), lhs, expr)

#define ASSIGN_OR_RETURN_IMPL_(result, lhs, expr) \
  auto result = (expr);                           \
  if (!result.ok()) {                             \
    return std::move(result).status();            \
  }                                               \
  lhs = *std::move(result)

#define RELU_CONCAT_(a, b) RELU_CONCAT_INNER_(a, b)
#define RELU_CONCAT_INNER_(a, b) a##b

#endif  // CORE_BASE_STATUS_MACROS_H_
