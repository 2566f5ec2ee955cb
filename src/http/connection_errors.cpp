#include "http/connection_errors.hpp"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <string>

namespace scalestyle::http {

namespace beast = boost::beast;

ApiError body_too_large(std::size_t limit) {
  return make_error("content_too_large", "the body is larger than " + std::to_string(limit) + " bytes", "body");
}

ApiError too_many_bodies() {
  ApiError full = make_error("overloaded", "too many large bodies are being read; try again later");
  full.reason = search::DegradationReason::kDownstreamCapacityRejected;
  full.outcome = ports::AppendOutcome::kNotKept;
  return full;
}

ApiError request_timeout(const char* part) {
  return make_error("request_timeout", std::string("the request's ") + part + " was not there in time");
}

std::optional<ApiError> read_fault(const boost::system::error_code& error, const char* part, bool target_known) {
  namespace http = beast::http;
  if (!error) return std::nullopt;
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    if (!target_known) return make_error("uri_too_long", "the request target is too long", "target");
    return make_error("header_too_large", "the header fields are too large", "header");
  }
  if (error == http::error::bad_version) return make_error("version_not_supported", "only HTTP/1.0 and HTTP/1.1 are spoken");
  if (error == http::error::end_of_stream || error == http::error::partial_message) return std::nullopt;
  if (error.category() == make_error_code(http::error::bad_field).category()) {
    return make_error("bad_request", std::string("the request's ") + part + " is not well-formed HTTP: " + error.message());
  }
  return std::nullopt;
}

Response unanswered(Application& application, const Call& call, const std::optional<core::Result<Response>>& result) {
  ApiError error = result ? to_api_error(result->error())
                          : make_error("deadline_exceeded", "the answer was not there within the deadline");
  if (call.has_effects) {
    if (error.status >= 500) error.outcome = ports::AppendOutcome::kUnknown;
  } else if (!result) {
    error.reason = search::DegradationReason::kDownstreamCapacityRejected;
  }
  return application.refuse(error, call.request_id);
}

void add_value(std::string& values, std::string_view value) {
  if (!values.empty()) values += ", ";
  values += value;
}

void HeaderCheck::add(std::string_view name, std::string_view value) {
  const auto is_control = [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F; };
  bytes_ += name.size() + value.size() + 4;
  has_controls_ = has_controls_ || std::ranges::any_of(value, is_control);
  if (beast::iequals(name, "Host")) ++hosts_;
  if (beast::iequals(name, "Content-Length")) {
    ++lengths_;
    // The parser takes "5, 5" too (RFC 9110, section 8.6).
    is_plain_length_ = !value.empty() && std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
  }
  if (beast::iequals(name, "Transfer-Encoding")) {
    ++codings_;
    only_chunked_ = only_chunked_ && beast::iequals(value, "chunked");
  }
}

std::optional<ApiError> HeaderCheck::fault(std::size_t target_bytes, bool at_least_http_11) const {
  if (target_bytes > options_.max_target_bytes) return make_error("uri_too_long", "the request target is too long", "target");
  if (has_controls_) return make_error("bad_request", "a header field has a control character");
  if (bytes_ > options_.max_header_bytes) return make_error("header_too_large", "the header fields are too large", "header");
  if (hosts_ > 1 || (hosts_ == 0 && at_least_http_11)) {
    return make_error("bad_request", "a request must have one Host field", "Host");
  }
  // Anything that another server on the way could read as another length is refused, not guessed at.
  if (lengths_ > 1 || (lengths_ == 1 && !is_plain_length_)) {
    return make_error("bad_request", "Content-Length must be given once, in digits", "Content-Length");
  }
  if (codings_ == 0) return std::nullopt;
  if (!at_least_http_11 || lengths_ > 0 || codings_ > 1) {
    return make_error("bad_request", "Transfer-Encoding is ambiguous here", "Transfer-Encoding");
  }
  if (only_chunked_) return std::nullopt;
  return make_error("not_implemented", "the only known transfer coding is chunked", "Transfer-Encoding");
}

}  // namespace scalestyle::http
