#include "http/search_error.hpp"

namespace scalestyle::http {

ApiError to_api_error(const search::SearchFailure& failure) {
  if (failure.expired) return make_error("cursor_expired", failure.error.message, failure.error.field);
  if (failure.picture_refused && failure.error.code == core::ErrorCode::kUnsupported) {
    return make_error("unsupported_media_type", failure.error.message, failure.error.field);
  }
  if (failure.picture_refused && failure.error.code == core::ErrorCode::kResourceExhausted) {
    return make_error("content_too_large", failure.error.message, failure.error.field);
  }
  ApiError error = to_api_error(failure.error);
  error.reason = failure.reason;
  // With a reason it is the server that cannot answer, whatever kind of error a dependency gave.
  if (failure.reason && error.status != 503) {
    error.status = 503;
    error.code = "unavailable";
  }
  return error;
}

}  // namespace scalestyle::http
