#pragma once
// The one error envelope of the API:
// {"status":"error","error":{"code","message","field"?,"reason"?,"outcome"?},"request_id"}.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "http/message.hpp"
#include "ports/event_log.hpp"
#include "search/degradation.hpp"

namespace scalestyle::http {

struct ApiError {
  int status = 500;
  std::string_view code = "internal";  // one of error_codes(); the meaning for programs
  std::string message{};               // for people
  std::string field{};                 // the parameter, header or member of the body at fault
  std::optional<search::DegradationReason> reason{};
  std::optional<ports::AppendOutcome> outcome{};  // of a request that was to be kept
  int retry_after_seconds = 1;         // of a 429 or 503
  std::string allow{};                 // of a 405
  bool close = false;                  // the connection cannot go on
};

struct ErrorCodeInfo {
  std::string_view code;
  int status;
  std::string_view meaning;
};

// Every code that an envelope can hold.
[[nodiscard]] std::span<const ErrorCodeInfo> error_codes();

// An error of `code`, with its status.
[[nodiscard]] ApiError make_error(std::string_view code, std::string message, std::string field = {});

[[nodiscard]] ApiError to_api_error(const core::Error& error);

[[nodiscard]] std::string_view to_string(ports::AppendOutcome outcome);  // "not_kept", "unknown"

// The response of an error, Retry-After included where trying again can help.
[[nodiscard]] Response error_response(const ApiError& error, std::string_view request_id);

}  // namespace scalestyle::http
