#include "http/event_routes.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "http/event_bodies.hpp"
#include "http/event_shapes.hpp"
#include "http/rate_limits.hpp"

namespace scalestyle::http {

namespace {

std::optional<std::string> optional_text(const std::string* text) {
  return text == nullptr ? std::nullopt : std::optional(*text);
}

std::string lower_trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  std::string result(text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1));
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return result;
}

// Whether the parameters of a media type leave the text in UTF-8.
bool is_utf8_charset(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::size_t end = std::min(parameters.find(';'), parameters.size());
    const std::string parameter = lower_trimmed(parameters.substr(0, end));
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
    if (!parameter.starts_with("charset")) continue;
    if (parameter != "charset=utf-8" && parameter != "charset=\"utf-8\"") return false;
  }
  return true;
}

// Each event's subject must be the caller's own, where it may act for no other.
core::Status settle(const Caller& caller, search::TrackRequest& wanted) {
  if (!caller.is_bound()) return {};
  for (std::size_t i = 0; i < wanted.events.size(); ++i) {
    const std::string place = wanted.single ? std::string() : "events[" + std::to_string(i) + "].";
    const std::string user_field = place + "user_id";
    const std::string session_field = place + "session_id";
    events::EventInput& input = wanted.events[i];
    CORE_CHECK(caller.settle(input.user_id, input.session_id, {.user = user_field, .session = session_field}));
  }
  return {};
}

Response denied(const RoutedRequest& request, const core::Error& error) {
  return error_response(make_error("forbidden", error.message, error.field), request.request_id);
}

RateLimits::UserCosts user_costs(const search::TrackRequest& wanted) {
  RateLimits::UserCosts costs;
  for (const events::EventInput& event : wanted.events) {
    if (event.user_id) costs[*event.user_id] += kEventCost;
  }
  return costs;
}

}  // namespace

std::optional<ApiError> body_header_fault(const Request& request) {
  if (!request.content_encoding.empty() && lower_trimmed(request.content_encoding) != "identity") {
    return make_error("unsupported_media_type", "the body must not be compressed", "Content-Encoding");
  }
  if (request.content_type.empty()) return std::nullopt;
  const std::string_view type = request.content_type;
  const std::size_t end = std::min(type.find(';'), type.size());
  const std::string media = lower_trimmed(type.substr(0, end));
  if ((media == "application/json" || media == "text/plain") && is_utf8_charset(type.substr(std::min(end + 1, type.size())))) {
    return std::nullopt;
  }
  return make_error("unsupported_media_type", "the body must be application/json in UTF-8", "Content-Type");
}

Work EventRoutes::perform(RoutedRequest request) {
  switch (request.route->id) {
    case RouteId::kClick: return click(std::move(request));
    case RouteId::kEvents: return batch(std::move(request));
    case RouteId::kMergeSession: return merge(std::move(request));
    case RouteId::kPreferences: return set_preferences(std::move(request));
    case RouteId::kForgetUser: return forget(std::move(request));
    case RouteId::kUserFeatures: return features(std::move(request));
    default: return export_user(std::move(request));
  }
}

Work EventRoutes::click(RoutedRequest request) {
  const core::Result<Body> body = co_await read(request);
  if (!body) co_return refuse(request, body.error());
  search::TrackRequest wanted;
  wanted.trace = request.trace;
  wanted.events.push_back(to_click(*body));
  wanted.single = true;
  const core::Status own = settle(request.caller, wanted);
  if (!own) co_return denied(request, own.error());
  const RateLimits::UserCosts costs = user_costs(wanted);
  if (use_.limits != nullptr) {
    if (auto refused = use_.limits->charge_users(costs, request.request_id)) co_return std::move(*refused);
  }
  wanted.deadline = request.deadline;
  const auto outcome = co_await use_.events.track(std::move(wanted));
  if (!outcome) {
    if (use_.limits != nullptr) use_.limits->give_back(costs);
    co_return refuse(request, outcome.error());
  }
  co_return json_response(event_answer_json({request.request_id, took(request)}, outcome->front()));
}

Work EventRoutes::batch(RoutedRequest request) {
  const core::Result<Body> body = co_await read(request);
  if (!body) co_return refuse(request, body.error());
  search::TrackRequest wanted;
  wanted.trace = request.trace;
  wanted.events = to_events(*body);
  const core::Status own = settle(request.caller, wanted);
  if (!own) co_return denied(request, own.error());
  const RateLimits::UserCosts costs = user_costs(wanted);
  if (use_.limits != nullptr) {
    if (auto refused = use_.limits->charge_users(costs, request.request_id)) co_return std::move(*refused);
  }
  wanted.deadline = request.deadline;
  const auto outcome = co_await use_.events.track(std::move(wanted));
  if (!outcome) {
    if (use_.limits != nullptr) use_.limits->give_back(costs);
    co_return refuse(request, outcome.error());
  }
  Response response = json_response(events_answer_json({request.request_id, took(request)}, *outcome));
  response.cost = events_cost(outcome->size());
  co_return response;
}

Work EventRoutes::merge(RoutedRequest request) {
  const core::Result<Body> body = co_await read(request);
  if (!body) co_return refuse(request, body.error());
  search::MergeRequest wanted;
  wanted.user_id = request.parameters.text("user_id").value_or("");
  std::optional<std::string> user = wanted.user_id;
  std::optional<std::string> session = optional_text(body->text("session_id"));
  const core::Status own = request.caller.settle(user, session, {.user = "user_id", .session = "session_id"});
  if (!own) co_return denied(request, own.error());
  if (!session) co_return refuse(request, core::Error{core::ErrorCode::kInvalidArgument, "session_id is missing", "session_id"});
  wanted.session_id = std::move(*session);
  wanted.client_event_id = optional_text(body->text("event_id"));
  wanted.deadline = request.deadline;
  const auto outcome = co_await use_.events.merge(std::move(wanted));
  if (!outcome) co_return refuse(request, outcome.error());
  co_return json_response(event_answer_json({request.request_id, took(request)}, *outcome));
}

Work EventRoutes::set_preferences(RoutedRequest request) {
  const core::Result<Body> body = co_await read(request);
  if (!body) co_return refuse(request, body.error());
  search::PreferencesRequest wanted;
  wanted.user_id = request.parameters.text("user_id").value_or("");
  wanted.personalize = *body->boolean("personalize");
  wanted.client_event_id = optional_text(body->text("event_id"));
  wanted.deadline = request.deadline;
  const auto outcome = co_await use_.events.set_preferences(std::move(wanted));
  if (!outcome) co_return refuse(request, outcome.error());
  co_return json_response(event_answer_json({request.request_id, took(request)}, *outcome));
}

Work EventRoutes::forget(RoutedRequest request) {
  search::ForgetRequest wanted;
  wanted.user_id = request.parameters.text("user_id").value_or("");
  wanted.client_event_id = request.parameters.text("event_id");
  wanted.deadline = request.deadline;
  const auto outcome = co_await use_.events.forget(std::move(wanted));
  if (!outcome) co_return refuse(request, outcome.error());
  co_return json_response(forget_answer_json({request.request_id, took(request)}, *outcome));
}

Work EventRoutes::features(RoutedRequest request) {
  search::FeaturesRequest wanted;
  wanted.user_id = request.parameters.text("user_id").value_or("");
  wanted.deadline = request.deadline;
  const auto outcome = co_await use_.events.features_of(std::move(wanted));
  if (!outcome) co_return refuse(request, outcome.error());
  co_return json_response(features_answer_json({request.request_id, took(request)}, *outcome));
}

Work EventRoutes::export_user(RoutedRequest request) {
  search::ExportRequest wanted;
  wanted.user_id = request.parameters.text("user_id").value_or("");
  wanted.cursor = request.parameters.text("cursor").value_or("");
  wanted.limit = request.parameters.integer("limit");
  wanted.deadline = request.deadline;
  const auto outcome = co_await use_.events.export_user(std::move(wanted));
  if (!outcome) co_return refuse(request, outcome.error());
  co_return json_response(user_answer_json({request.request_id, took(request)}, *outcome));
}

core::Task<core::Result<Body>> EventRoutes::read(const RoutedRequest& request) {
  if (request.body.size() > kInlineBodyBytes) CORE_CO_CHECK(co_await use_.pool.schedule(request.deadline));
  co_return read_body(*request.route->body, request.body);
}

Response EventRoutes::refuse(const RoutedRequest& request, const core::Error& error) const {
  return refuse(request, search::EventFailure{error, {}, std::chrono::seconds(0)});
}

Response EventRoutes::refuse(const RoutedRequest& request, const search::EventFailure& failure) const {
  ApiError error = to_api_error(failure.error);
  if (error.status >= 500 && request.route->has_effects()) {
    error.outcome = failure.outcome.value_or(ports::AppendOutcome::kNotKept);
  }
  error.retry_after_seconds = std::max(1, static_cast<int>(failure.retry_after.count()));
  // Refusals come by the thousand: they are counted, not logged.
  const bool unknown = error.outcome == ports::AppendOutcome::kUnknown;
  if (unknown || error.status == 500) {
    use_.log.warning(unknown ? "it is not known whether a request was kept" : "a request failed",
                     {{"request_id", request.request_id}, {"trace_id", request.trace_id()}, {"route", request.route->pattern},
                      {"cause", error.message}});
  }
  return error_response(error, request.request_id);
}

}  // namespace scalestyle::http
