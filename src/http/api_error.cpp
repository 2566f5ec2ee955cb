#include "http/api_error.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

#include "core/disk_full.hpp"
#include "http/json_writer.hpp"

namespace scalestyle::http {

namespace {

constexpr std::array kErrorCodes{
    ErrorCodeInfo{"invalid_argument", 400,
                  "a parameter, or a member of the body, is missing, malformed or out of its limits; `field` names it"},
    ErrorCodeInfo{"bad_request", 400, "the request is not well-formed HTTP; the connection is closed"},
    ErrorCodeInfo{"unauthorized", 401, "an API key is needed and there is none, or the key or the user token that `field` names is not good"},
    ErrorCodeInfo{"forbidden", 403,
                  "the key may not do that, or not for the user, session or parameter that `field` names; or the server may not "
                  "fetch a picture from where `field` says"},
    ErrorCodeInfo{"not_found", 404, "there is no such path, article or picture"},
    ErrorCodeInfo{"method_not_allowed", 405, "the path does not take this method; see the Allow header"},
    ErrorCodeInfo{"request_timeout", 408, "the request came too slowly; the connection is closed"},
    ErrorCodeInfo{"cursor_expired", 410,
                  "the cursor is too old, or of a catalogue that is no longer served; begin again at the first page"},
    ErrorCodeInfo{"content_too_large", 413,
                  "the body is too large (then the connection is closed), or a picture in it is; `field` names it"},
    ErrorCodeInfo{"uri_too_long", 414, "the request target is too long; the connection is closed"},
    ErrorCodeInfo{"unsupported_media_type", 415,
                  "the body is of another type than the route takes, or compressed, or a picture is of no known format; `field` names what"},
    ErrorCodeInfo{"expectation_failed", 417, "the Expect header asks for something unknown; the connection is closed"},
    ErrorCodeInfo{"rate_limited", 429,
                  "a key, a user or a client address asks for too much; nothing was tried; try again after Retry-After seconds"},
    ErrorCodeInfo{"header_too_large", 431, "the header fields are too large; the connection is closed"},
    ErrorCodeInfo{"internal", 500, "the server failed; report it with the request id"},
    ErrorCodeInfo{"not_implemented", 501, "the transfer coding is not known; the connection is closed"},
    ErrorCodeInfo{"unavailable", 503, "nothing can answer now; try again after Retry-After seconds"},
    ErrorCodeInfo{"deadline_exceeded", 503, "the answer was not there within the deadline"},
    ErrorCodeInfo{"overloaded", 503, "the server is at its limit; nothing was tried; try again after Retry-After seconds"},
    ErrorCodeInfo{"storage_full", 503,
                  "the disk that this is kept on is full; nothing was kept, and an operator must make room; try again after Retry-After "
                  "seconds"},
    ErrorCodeInfo{"failed_precondition", 503, "the server's data and models do not fit together; an operator must act"},
    ErrorCodeInfo{"version_not_supported", 505, "only HTTP/1.0 and HTTP/1.1 are spoken"},
};

constexpr int kRetryWhenThereIsRoom = 5;  // seconds

std::string_view code_of(core::ErrorCode code) {
  switch (code) {
    case core::ErrorCode::kInvalidArgument: return "invalid_argument";
    case core::ErrorCode::kNotFound: return "not_found";
    case core::ErrorCode::kResourceExhausted: return "overloaded";
    case core::ErrorCode::kDeadlineExceeded: return "deadline_exceeded";
    case core::ErrorCode::kFailedPrecondition: return "failed_precondition";
    case core::ErrorCode::kUnavailable:
    case core::ErrorCode::kCircuitOpen:
    case core::ErrorCode::kCancelled: return "unavailable";
    case core::ErrorCode::kAlreadyExists:
    case core::ErrorCode::kPermissionDenied:
    case core::ErrorCode::kUnsupported:
    case core::ErrorCode::kDataLoss:
    case core::ErrorCode::kInternal: return "internal";
  }
  return "internal";
}

// Clients that were refused together are not to come back together: those of a limit are spread over three seconds, one after
// another by the golden ratio, which is even however many they are.
int retry_after(const ApiError& error) {
  static std::atomic<std::uint32_t> refusals{0};
  if (error.reason != search::DegradationReason::kDownstreamCapacityRejected) return error.retry_after_seconds;
  const std::uint32_t turn = refusals.fetch_add(1, std::memory_order_relaxed) * 0x9E37'79B9U;
  return error.retry_after_seconds + static_cast<int>((std::uint64_t{turn} * 3) >> 32U);
}

}  // namespace

std::span<const ErrorCodeInfo> error_codes() { return kErrorCodes; }

ApiError make_error(std::string_view code, std::string message, std::string field) {
  const auto found = std::ranges::find(kErrorCodes, code, &ErrorCodeInfo::code);
  ApiError error;
  if (found != kErrorCodes.end()) {
    error.code = found->code;
    error.status = found->status;
  }
  error.message = std::move(message);
  error.field = std::move(field);
  return error;
}

ApiError to_api_error(const core::Error& error) {
  if (!core::is_disk_full(error)) return make_error(code_of(error.code), error.message, error.field);
  ApiError full = make_error("storage_full", error.message);  // no member of the request is at fault
  full.retry_after_seconds = kRetryWhenThereIsRoom;
  return full;
}

std::string_view to_string(ports::AppendOutcome outcome) {
  return outcome == ports::AppendOutcome::kNotKept ? "not_kept" : "unknown";
}

Response error_response(const ApiError& error, std::string_view request_id) {
  JsonWriter json;
  json.begin_object();
  json.key("status").text("error");
  json.key("error").begin_object();
  json.key("code").text(error.code);
  json.key("message").text(error.message);
  if (!error.field.empty()) json.key("field").text(error.field);
  if (error.reason) json.key("reason").text(search::to_string(*error.reason));
  if (error.outcome) json.key("outcome").text(to_string(*error.outcome));
  json.end_object();
  json.key("request_id").text(request_id);
  json.end_object();

  Response response;
  response.status = error.status;
  response.body = std::move(json).take();
  response.close = error.close;
  if (error.status == 503) response.headers.emplace_back("Retry-After", std::to_string(retry_after(error)));
  if (error.status == 429) response.headers.emplace_back("Retry-After", std::to_string(error.retry_after_seconds));
  if (error.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"scalestyle\"");
  if (!error.allow.empty()) response.headers.emplace_back("Allow", error.allow);
  return response;
}

}  // namespace scalestyle::http
