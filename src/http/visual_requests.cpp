#include "http/visual_requests.hpp"

#include <memory>
#include <string>
#include <utility>

#include "http/multipart.hpp"

namespace scalestyle::http {

namespace {

constexpr std::size_t kOtherFieldsBytes = 256 * 1024;

ApiError to_answer(const core::Error& error) {
  const bool of_picture = !error.field.empty();
  switch (error.code) {
    case core::ErrorCode::kPermissionDenied: return make_error("forbidden", error.message, error.field);
    case core::ErrorCode::kUnsupported: return make_error("unsupported_media_type", error.message, error.field);
    case core::ErrorCode::kResourceExhausted:
      if (of_picture) return make_error("content_too_large", error.message, error.field);
      break;
    case core::ErrorCode::kNotFound: return make_error("invalid_argument", error.message, error.field);
    default: break;
  }
  return to_api_error(error);
}

// What the caller may not ask, and whom it is for.
core::Status settle(const Caller& caller, search::SearchRequest& wanted) {
  if (wanted.explain) CORE_CHECK(caller.needs_admin("explain"));
  if (!caller.is_bound()) return {};
  std::optional<std::string> user;
  std::optional<std::string> session;
  if (wanted.user_id) user = wanted.user_id->value();
  if (wanted.session_id) session = wanted.session_id->value();
  CORE_CHECK(caller.settle(user, session, {.user = "userId", .session = "sessionId"}));
  if (user) wanted.user_id = core::UserId(std::move(*user));
  if (session) wanted.session_id = core::SessionId(std::move(*session));
  return {};
}

}  // namespace

std::size_t VisualRequests::max_body_bytes() const { return (max_image_bytes_ + 2) / 3 * 4 + kOtherFieldsBytes; }

std::optional<ApiError> VisualRequests::header_fault(const Request& request) {
  Request headers;
  headers.content_encoding = request.content_encoding;
  if (!is_form(request.content_type)) headers.content_type = request.content_type;
  auto fault = body_header_fault(headers);
  if (fault && fault->field == "Content-Type") fault->message = "the body must be application/json in UTF-8, or multipart/form-data";
  return fault;
}

core::Task<VisualRequests::Outcome> VisualRequests::read(RoutedRequest request) const {
  core::Task<core::Result<VisualWish>> reading = read_body(std::move(request));
  core::Result<VisualWish> wish = co_await std::move(reading);
  if (!wish) co_return std::unexpected(to_answer(wish.error()));
  co_return std::move(*wish);
}

core::Task<std::optional<ApiError>> VisualRequests::fetch(VisualWish& wish) const {
  if (wish.image_url.empty()) co_return std::nullopt;
  if (!use_.has_vision) {
    co_return make_error("unavailable", "this server does not look into pictures: start it with vision_enabled=true", "mode");
  }
  core::Task<core::Status> fetching = fetch_picture(wish);
  const core::Status fetched = co_await std::move(fetching);
  if (!fetched) co_return to_answer(fetched.error());
  co_return std::nullopt;
}

core::Task<core::Result<VisualWish>> VisualRequests::read_body(RoutedRequest request) const {
  if (request.body.size() > kInlineBodyBytes) CORE_CO_CHECK(co_await use_.pool.schedule(request.deadline));
  const CompleteParameters configure = [this, &request](QueryPairs& pairs) -> core::Status {
    if (!wanted_configuration(pairs).empty()) CORE_CHECK(request.caller.needs_admin("config"));
    return complete_from(use_.configurations, pairs, request.route->form->parameters);
  };
  CORE_CO_TRY(ParameterValues values, read_parameters(*request.route->form, request.content_type, request.body, configure));
  request.body = std::string();  // a large one is held once only
  const bool hybrid = request.route->id == RouteId::kSearchHybrid;
  CORE_CO_TRY(VisualWish wish, hybrid ? to_hybrid_search(std::move(values), request.received, max_image_bytes_)
                                      : to_image_search(std::move(values), request.received, max_image_bytes_));
  CORE_CO_CHECK(settle(request.caller, wish.request));
  wish.request.request_id = core::RequestId(request.request_id);
  co_return wish;
}

core::Task<core::Status> VisualRequests::fetch_picture(VisualWish& wish) const {
  if (use_.fetcher == nullptr) {
    co_return core::fail(core::ErrorCode::kPermissionDenied,
                         "this server fetches no pictures: its setting image_url_hosts names the hosts from which it may", "image_url");
  }
  core::Task<core::Result<std::string>> fetching = use_.fetcher->fetch(std::move(wish.image_url), wish.request.deadline);
  core::Result<std::string> bytes = co_await std::move(fetching);
  if (!bytes) co_return std::unexpected(std::move(bytes).error());
  CORE_CO_CHECK(check_picture(*bytes, wish.picture_field, max_image_bytes_));
  wish.request.visual->image = std::make_shared<const std::string>(std::move(*bytes));
  co_return core::Status();
}

}  // namespace scalestyle::http
