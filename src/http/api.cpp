#include "http/api.hpp"

#include <fmt/format.h>

#include <utility>

#include "http/image_file.hpp"
#include "http/json_shapes.hpp"
#include "http/json_writer.hpp"
#include "http/openapi.hpp"
#include "http/search_parameters.hpp"

namespace scalestyle::http {

namespace {

constexpr std::chrono::milliseconds kPlainDeadline{2'000};  // of routes without a deadline of their own

core::Result<std::pair<std::shared_ptr<const search::ServingGeneration>, catalog::RowIndex>> find_article(
    const search::SnapshotHolder& generations, const std::string& text) {
  CORE_TRY(const catalog::ArticleId id, [&]() -> core::Result<catalog::ArticleId> {
    auto parsed = catalog::ArticleId::parse(text);
    if (!parsed) parsed.error().field = "id";
    return parsed;
  }());
  auto generation = generations.serving();
  if (generation == nullptr) return core::fail(core::ErrorCode::kUnavailable, "no catalogue is loaded yet; try again later");
  const auto row = generation->catalog().find(id);
  if (!row) return core::fail(core::ErrorCode::kNotFound, fmt::format("there is no article {}", id.text()), "id");
  return std::pair(std::move(generation), *row);
}

ApiError to_api_error(const search::SearchFailure& failure) {
  ApiError error = http::to_api_error(failure.error);
  error.reason = failure.reason;
  // With a reason it is the server that cannot answer, whatever kind of error a dependency gave.
  if (failure.reason && error.status != 503) {
    error.status = 503;
    error.code = "unavailable";
  }
  return error;
}

Response json_response(std::string body) {
  Response response;
  response.body = std::move(body);
  return response;
}

}  // namespace

struct Api::Target {
  const Route* route = nullptr;
  Parameters parameters;
};

Api::Api(Dependencies dependencies, Options options)
    : use_(dependencies),
      options_(std::move(options)),
      http_metrics_(use_.metrics),
      generation_metrics_(use_.metrics, use_.generations),
      openapi_(std::make_shared<const std::string>(openapi_document(options_.version))) {
  use_.metrics.on_render([this] { generation_metrics_.collect(); });
}

Call Api::begin(Request request) {
  std::string request_id = choose_request_id(request.request_id_header);
  Call call;
  call.request_id = request_id;
  call.route = "none";
  const auto parts = split_target(request.target);
  if (!parts) {
    call.work = refuse(make_error("bad_request", "the request target must be a path", "target"), request_id);
    return call;
  }
  const auto allow = [&] {
    Response response;
    response.status = 204;
    response.headers.emplace_back("Allow", kAllowedMethods);
    return response;
  };
  if (parts->path == "*") {
    call.work = request.method == Method::kOptions ? allow()
                                                   : refuse(make_error("bad_request", "\"*\" is for OPTIONS only", "target"), request_id);
    return call;
  }
  auto match = match_route(parts->path);
  if (!match) {
    call.work = refuse(http::to_api_error(match.error()), request_id);
    return call;
  }
  if (!*match) {
    call.work = refuse(make_error("not_found", "there is no such path; /openapi.json lists them all"), request_id);
    return call;
  }
  const Route& route = *(*match)->route;
  call.route = route.pattern;
  if (request.method == Method::kOptions) {
    call.work = allow();
    return call;
  }
  if (request.method == Method::kOther) {
    ApiError error = make_error("method_not_allowed", fmt::format("this path answers {}", kAllowedMethods));
    error.allow = kAllowedMethods;
    call.work = refuse(error, request_id);
    return call;
  }
  auto pairs = parse_query(parts->query);
  if (pairs) {
    for (auto& value : (*match)->path_values) pairs->push_back(std::move(value));
    if (auto parameters = Parameters::check(route.parameters, std::move(*pairs))) {
      return perform(request, Target{&route, std::move(*parameters)}, std::move(request_id));
    } else {
      call.work = refuse(http::to_api_error(parameters.error()), request_id);
    }
  } else {
    call.work = refuse(http::to_api_error(pairs.error()), request_id);
  }
  return call;
}

Call Api::perform(const Request& request, Target target, std::string request_id) {
  Call call;
  call.request_id = std::move(request_id);
  call.route = target.route->pattern;
  call.deadline = core::Deadline::at(request.received + kPlainDeadline);
  const auto at_once = [&](core::Result<Response> result) {
    call.work = result ? std::move(*result) : refuse(http::to_api_error(result.error()), call.request_id);
  };
  switch (target.route->id) {
    case RouteId::kSearch: {
      auto wanted = to_search_request(target.parameters, request.received);
      wanted.request_id = core::RequestId(call.request_id);
      call.deadline = wanted.deadline;
      call.work = search(std::move(wanted));
      break;
    }
    case RouteId::kArticle: at_once(article(*target.parameters.text("id"), request, call.request_id)); break;
    case RouteId::kImage: call.work = image(*target.parameters.text("id"), request.if_none_match, call.deadline); break;
    case RouteId::kLive: at_once(json_response(R"({"status":"live"})")); break;
    case RouteId::kReady: at_once(ready()); break;
    case RouteId::kMetrics: call.work = render_metrics(call.deadline); break;
    case RouteId::kOpenApi: {
      Response response;
      response.shared_body = openapi_;
      at_once(std::move(response));
      break;
    }
  }
  return call;
}

Work Api::search(search::SearchRequest request) {
  const std::string request_id = request.request_id.value();
  const search::SearchOutcome outcome = co_await use_.search.search(std::move(request));
  if (!outcome) {
    if (outcome.error().error.code == core::ErrorCode::kCancelled) co_return std::unexpected(outcome.error().error);
    const ApiError error = to_api_error(outcome.error());
    // Refusals at a limit come by the thousand: they are counted, not logged.
    const bool refused = error.reason == search::DegradationReason::kDownstreamCapacityRejected;
    if (error.status >= 500 && !refused) {
      use_.log.warning("a search was not answered",
                       {{"request_id", request_id},
                        {"reason", error.reason ? search::to_string(*error.reason) : std::string_view("none")},
                        {"cause", error.message}});
    }
    co_return error_response(error, request_id);
  }
  co_return json_response(search_answer_json(*outcome));
}

Work Api::image(std::string article_id, std::string if_none_match, core::Deadline deadline) {
  CORE_CO_TRY(const auto found, find_article(use_.generations, article_id));
  const auto& [generation, row] = found;
  const std::string_view path = generation->catalog().row(row).image_path();
  const std::string& folder = generation->info().image_folder;
  if (path.empty() || folder.empty()) {
    co_return core::fail(core::ErrorCode::kNotFound, "this article has no picture", "id");
  }
  CORE_CO_CHECK(co_await use_.pool.schedule(deadline));
  CORE_CO_TRY(ImageFile file, read_image_file(folder, path, options_.max_image_bytes));
  Response response;
  response.headers.emplace_back("Cache-Control", "public, max-age=3600");
  response.headers.emplace_back("ETag", file.etag);
  if (etag_matches(if_none_match, file.etag)) {
    response.status = 304;
    co_return response;
  }
  response.content_type = file.content_type;
  response.body = std::move(file.content);
  co_return response;
}

Work Api::render_metrics(core::Deadline deadline) {
  CORE_CO_CHECK(co_await use_.pool.schedule(deadline));
  Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = use_.metrics.render();
  co_return response;
}

core::Result<Response> Api::article(const std::string& id, const Request& request, std::string_view request_id) const {
  CORE_TRY(const auto found, find_article(use_.generations, id));
  const auto& [generation, row] = found;
  return json_response(
      article_answer_json(generation->catalog().row(row), request_id, use_.clock.steady_now() - request.received));
}

core::Result<Response> Api::ready() const {
  const auto refuse_with = [](std::string why) { return core::fail(core::ErrorCode::kUnavailable, "not ready: " + std::move(why)); };
  if (draining_.load()) return refuse_with("the server is shutting down");
  if (!warm_.load()) return refuse_with("models and catalogue are being loaded");
  const auto serving = use_.generations.serving();
  if (serving == nullptr) {
    const std::string cause = use_.generations.last_error();
    return refuse_with(cause.empty() ? "no catalogue is loaded" : cause);
  }
  if (!serving->dense_refusal().empty()) return refuse_with(serving->dense_refusal());
  JsonWriter json(128);
  json.begin_object().key("status").text("ready");
  json.key("generation").text(serving->info().id.value());
  json.key("articles").integer(serving->catalog().size()).end_object();
  return json_response(std::move(json).take());
}

Response Api::refuse(const ApiError& error, std::string_view request_id) { return error_response(error, request_id); }

void Api::finished(const FinishedCall& call) {
  http_metrics_.record(call);
  if (!use_.log.enabled(telemetry::LogLevel::kDebug)) return;
  use_.log.log(telemetry::LogLevel::kDebug, "request",
               {{"request_id", call.request_id},
                {"route", call.route},
                {"status", call.status},
                {"took_ms", std::chrono::duration<double, std::milli>(call.took).count()}});
}

}  // namespace scalestyle::http
