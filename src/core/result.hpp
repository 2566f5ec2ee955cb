#pragma once
// Result<T>: the one way a function reports failure. Nothing in src/ throws across a module's wall.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace scalestyle::core {

enum class ErrorCode : std::uint8_t {
  kInvalidArgument,     // the caller's input is wrong
  kNotFound,
  kAlreadyExists,
  kFailedPrecondition,  // right input, wrong state (model mismatch, lock held)
  kResourceExhausted,   // a bound was reached; shed
  kDeadlineExceeded,
  kCancelled,
  kUnavailable,         // a dependency is away
  kCircuitOpen,         // a dependency failed too often of late: it was not asked
  kPermissionDenied,
  kUnsupported,
  kDataLoss,            // damaged or truncated data
  kInternal,
};

[[nodiscard]] std::string_view to_string(ErrorCode code);

// `message` says what was wrong, where (file, line, row, field, key) and what to do.
// `field` names the request parameter or configuration key at fault, when there is one.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  std::string field{};
  bool retryable = false;
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string message, std::string field = {}) {
  const bool retryable = code == ErrorCode::kUnavailable || code == ErrorCode::kDeadlineExceeded ||
                         code == ErrorCode::kResourceExhausted || code == ErrorCode::kCircuitOpen;
  return std::unexpected(Error{code, std::move(message), std::move(field), retryable});
}

}  // namespace scalestyle::core

// CORE_TRY(name, expression): name = the value, or return (or CORE_CO_TRY: co_return) the error.
#define CORE_CONCAT_(a, b) a##b
#define CORE_CONCAT(a, b) CORE_CONCAT_(a, b)
#define CORE_TRY_IMPL_(tmp, ret, declaration, ...)                  \
  auto tmp = (__VA_ARGS__);                                         \
  if (!tmp) ret std::unexpected(std::move(tmp).error());            \
  declaration = std::move(*tmp)
#define CORE_TRY(declaration, ...) CORE_TRY_IMPL_(CORE_CONCAT(core_try_, __LINE__), return, declaration, __VA_ARGS__)
#define CORE_CO_TRY(declaration, ...) CORE_TRY_IMPL_(CORE_CONCAT(core_try_, __LINE__), co_return, declaration, __VA_ARGS__)
#define CORE_CHECK_IMPL_(tmp, ret, ...)                             \
  if (auto tmp = (__VA_ARGS__); !tmp) ret std::unexpected(std::move(tmp).error())
#define CORE_CHECK(...) CORE_CHECK_IMPL_(CORE_CONCAT(core_check_, __LINE__), return, __VA_ARGS__)
#define CORE_CO_CHECK(...) CORE_CHECK_IMPL_(CORE_CONCAT(core_check_, __LINE__), co_return, __VA_ARGS__)
