#include "http/probe_api.hpp"

#include <array>
#include <chrono>
#include <utility>

#include "http/api_error.hpp"

namespace scalestyle::http {

namespace {

constexpr auto kDeadline = std::chrono::seconds(5);
constexpr std::array<std::string_view, 4> kRoutes{"/live", "/ready", "/health", "/metrics"};

Response answer_of(ProbeAnswer answer) {
  Response response = json_response(std::move(answer.json));
  response.status = answer.ok ? 200 : 503;
  return response;
}

}  // namespace

Call ProbeApi::begin(Request request) {
  Call call;
  call.request_id = choose_request_id(request.request_id_header);
  call.deadline = core::Deadline::at(request.received + kDeadline);
  call.route = "none";
  const auto parts = split_target(request.target);
  std::string_view route;
  for (const std::string_view known : kRoutes) {
    const bool hidden = known == "/metrics" && request.audience == Audience::kPublic;
    if (parts && parts->path == known && !hidden) route = known;
  }
  if (route.empty()) {
    call.work = refuse(make_error("not_found", "there is no such path; there are /live, /ready, /health and /metrics"), call.request_id);
    return call;
  }
  call.route = route;
  if (request.method != Method::kGet && request.method != Method::kHead) {
    ApiError error = make_error("method_not_allowed", "this path answers GET, HEAD");
    error.allow = "GET, HEAD";
    call.work = refuse(error, call.request_id);
  } else if (route == "/live") {
    call.work = answer_of(use_.live());
  } else if (route == "/metrics") {
    call.work = render_metrics(call.deadline);
  } else if (draining_.load()) {
    call.work = answer_of({.ok = false, .json = R"({"healthy":false,"status":"shutting down"})"});
  } else {
    call.work = answer_of(use_.ready());
  }
  return call;
}

Work ProbeApi::render_metrics(core::Deadline deadline) {
  CORE_CO_CHECK(co_await use_.pool.schedule(deadline));
  Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = use_.metrics.render();
  co_return response;
}

Response ProbeApi::refuse(const ApiError& error, std::string_view request_id) { return error_response(error, request_id); }

}  // namespace scalestyle::http
