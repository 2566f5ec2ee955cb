#include "http/api.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/request_steps.hpp"
#include "http/cache_shapes.hpp"
#include "http/image_file.hpp"
#include "http/json_shapes.hpp"
#include "http/json_writer.hpp"
#include "http/list_parameters.hpp"
#include "http/openapi.hpp"
#include "http/recommendation_parameters.hpp"
#include "http/search_error.hpp"
#include "http/why_not_shapes.hpp"
#include "telemetry/step_metrics.hpp"
#include "telemetry/trace.hpp"

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

Response allow(std::string_view pattern, Audience audience) {
  Response response;
  response.status = 204;
  response.headers.emplace_back("Allow", allowed_methods(pattern, audience));
  return response;
}

// What a request brings to others, below the server's own span where that is recorded.
ports::TraceContext trace_context(const Request& request) {
  if (request.trace == nullptr) return {};
  const telemetry::Trace& trace = *request.trace->trace;
  return {trace.traceparent(request.trace->span), trace.state()};
}

core::Result<Parameters> checked(const Route& route, QueryPairs pairs) {
  const core::StepTimer timer(core::RequestStep::kParameters);
  return Parameters::check(route.parameters, std::move(pairs));
}

Response answered(const search::SearchAnswer& answer, std::string_view configuration) {
  const core::StepTimer timer(core::RequestStep::kJson);
  Response response = json_response(search_answer_json(answer, configuration));
  response.cost = answer_cost(answer);
  return response;
}

}  // namespace

Api::Api(Dependencies dependencies, Options options)
    : use_(dependencies),
      options_(std::move(options)),
      events_({use_.events, use_.pool, use_.clock, use_.log, use_.limits}),
      articles_({use_.live, use_.pool, use_.clock, use_.log}),
      reasons_({use_.search, use_.reasons, use_.timers, use_.clock}),
      visual_({use_.pool, use_.fetcher, use_.search.looks_into_pictures(), use_.configurations}, options_.max_query_image_bytes),
      http_metrics_(use_.metrics),
      generation_metrics_(use_.metrics, use_.generations),
      cache_metrics_(use_.metrics, use_.search),
      openapi_(std::make_shared<const std::string>(
          openapi_document(options_.version, use_.access != nullptr && use_.access->keys_in_force()))) {
  use_.metrics.on_render([this, steps = std::make_shared<telemetry::StepMetrics>(use_.metrics)] {
    steps->collect();
    generation_metrics_.collect();
    cache_metrics_.collect();
  });
}

Call Api::begin(Request request) {
  auto headers = use_.access != nullptr ? use_.access->answer_headers(request) : std::vector<std::pair<std::string_view, std::string>>();
  Call call = route(std::move(request));
  std::ranges::move(headers, std::back_inserter(call.headers));
  return call;
}

Call Api::route(Request request) {
  std::string request_id = choose_request_id(request.request_id_header);
  const auto answered = [&](Response response, std::string_view route = "none") {
    return Call{.request_id = request_id, .route = route, .work = std::move(response)};
  };
  const auto parts = split_target(request.target);
  if (!parts) return answered(refuse(make_error("bad_request", "the request target must be a path", "target"), request_id));
  if (parts->path == "*") {
    if (request.method == Method::kOptions) return answered(allow("", request.audience));
    return answered(refuse(make_error("bad_request", "\"*\" is for OPTIONS only", "target"), request_id));
  }
  const auto match = match_route(request.method, parts->path);
  if (!match) return answered(refuse(to_api_error(match.error()), request_id));
  if (!*match || !is_shown(**match, request.audience)) {
    return answered(refuse(make_error("not_found", "there is no such path; /openapi.json lists them all"), request_id));
  }
  const std::string_view pattern = (*match)->pattern;
  if (request.method == Method::kOptions) return answered(allow(pattern, request.audience), pattern);
  if ((*match)->route == nullptr) {
    ApiError error = make_error("method_not_allowed", fmt::format("this path answers {}", allowed_methods(pattern, request.audience)));
    error.allow = allowed_methods(pattern, request.audience);
    return answered(refuse(error, request_id), pattern);
  }
  RateLimits::Charge charge;
  Call call = perform(std::move(request), **match, std::move(request_id), charge);
  if (use_.limits != nullptr) use_.limits->finish(call, std::move(charge));
  return call;
}

std::optional<std::size_t> Api::body_limit(Method method, std::string_view target) {
  const auto parts = split_target(target);
  if (!parts) return std::nullopt;
  const auto match = match_route(method, parts->path);
  if (!match || !*match || (*match)->route == nullptr) return std::nullopt;
  const Route& route = *(*match)->route;
  if (route.form != nullptr) return visual_.max_body_bytes();
  return route.body != nullptr ? std::optional(route.max_body_bytes) : std::nullopt;
}

Call Api::perform(Request request, const RouteMatch& match, std::string request_id, RateLimits::Charge& charge) {
  const Route& route = *match.route;
  Call call;
  call.request_id = request_id;
  call.route = route.pattern;
  call.deadline = core::Deadline::at(request.received + kPlainDeadline);
  const auto at_once = [&](core::Result<Response> result) {
    call.work = result ? std::move(*result) : refuse(to_api_error(result.error()), call.request_id);
    return std::move(call);
  };
  const auto denied = [&](const core::Error& error) {
    return at_once(refuse(make_error("forbidden", error.message, error.field), call.request_id));
  };
  auto caller = let_in(request, match, call);
  if (!caller) return at_once(std::move(caller).error());
  auto pairs = parse_query(split_target(request.target)->query);
  if (!pairs) return at_once(std::unexpected(pairs.error()));
  pairs->insert(pairs->end(), match.path_values.begin(), match.path_values.end());
  const bool takes_subject = std::ranges::find(route.parameters, "userId", &ParameterSpec::name) != route.parameters.end();
  if (const auto own = caller->settle(*pairs, takes_subject); !own) return denied(own.error());
  const core::Status configured = configure(*caller, route, *pairs, call);
  if (use_.limits != nullptr) {
    const std::string key = caller->key_id.empty() ? sent_key_id(request) : caller->key_id;
    const bool speaks_for_many = !caller->key_id.empty() && caller->kind == KeyKind::kServer;
    charge = use_.limits->charge(request, route.id, *pairs, {.key = key, .speaks_for_many = speaks_for_many});
    if (!charge.decision.allowed) return at_once(use_.limits->refusal(charge, request_id));
  }
  if (!configured) {
    const bool is_denied = configured.error().code == core::ErrorCode::kPermissionDenied;
    return is_denied ? denied(configured.error()) : at_once(std::unexpected(configured.error()));
  }
  auto parameters = checked(route, std::move(*pairs));
  if (!parameters) return at_once(std::unexpected(parameters.error()));
  if (const auto may = check_admin_parameters(*caller, route, *parameters, call); !may) return denied(may.error());
  if (options_.log_queries) log_query(parameters->text("query").value_or(""), parameters->text("userId").value_or(""), call.request_id);
  if (route.body != nullptr) {
    if (const auto fault = body_header_fault(request)) return at_once(refuse(*fault, request_id));
  }
  if (route.form != nullptr) {
    if (const auto fault = VisualRequests::header_fault(request)) return at_once(refuse(*fault, request_id));
  }
  RoutedRequest routed{&route,           std::move(*parameters), std::move(request.body), std::move(request.content_type), std::move(request_id),
                       request.received, call.deadline, trace_context(request), std::move(*caller)};
  switch (route.id) {
    case RouteId::kSearch:
    case RouteId::kBrowse:
    case RouteId::kTrending:
    case RouteId::kForYou:
    case RouteId::kSimilar:
    case RouteId::kLook:
    case RouteId::kWhyNot: {
      auto work = list(routed, call.deadline);
      if (!work) return at_once(std::unexpected(work.error()));
      call.work = std::move(*work);
      return call;
    }
    case RouteId::kReason:
      call.deadline = routed.deadline = ReasonRoutes::deadline(request.received);
      call.work = reasons_.perform(std::move(routed), accepts_events(request.accept));
      return call;
    case RouteId::kSearchImage:
    case RouteId::kSearchHybrid:
      routed.received = use_.clock.steady_now();  // a large body takes its time, which is not the search's
      call.deadline = routed.deadline = core::Deadline::at(routed.received + search::kMaxDeadline);  // its own is in the body
      call.work = visual(std::move(routed));
      return call;
    case RouteId::kSuggest: return at_once(suggest(routed));
    case RouteId::kArticle: return at_once(article(*routed.parameters.text("id"), request, call.request_id));
    case RouteId::kImage:
      call.work = image(*routed.parameters.text("id"), std::move(request.if_none_match), call.deadline);
      return call;
    case RouteId::kCacheStats: return at_once(json_response(cache_stats_json(
        {use_.search.list_cache_stats(), use_.search.pair_cache_stats(), use_.search.picture_cache_stats(),
         use_.search.near_cache_stats()}, call.request_id)));
    case RouteId::kConfigurations: return at_once(json_response(configurations_json(use_.configurations, call.request_id)));
    case RouteId::kLive: return at_once(json_response(R"({"status":"live"})"));
    case RouteId::kReady: return at_once(ready());
    case RouteId::kMetrics: call.work = render_metrics(call.deadline); return call;
    case RouteId::kOpenApi: {
      Response response;
      response.shared_body = openapi_;
      return at_once(std::move(response));
    }
    case RouteId::kChangeArticles:
    case RouteId::kPutArticle:
    case RouteId::kPatchArticle:
    case RouteId::kDeleteArticle:
      call.deadline = routed.deadline = articles_.deadline(request.received);
      call.has_effects = true;
      call.work = articles_.perform(std::move(routed));
      return call;
    default:
      call.deadline = routed.deadline = events_.deadline(request.received);
      call.has_effects = route.has_effects();
      call.work = events_.perform(std::move(routed));
      return call;
  }
}

core::Result<Work> Api::list(const RoutedRequest& request, core::Deadline& deadline) {
  const core::StepTimer timer(core::RequestStep::kParameters);
  const auto take = [&](auto& wanted) {
    wanted.request_id = core::RequestId(request.request_id);
    deadline = wanted.deadline;
    return std::move(wanted);
  };
  switch (request.route->id) {
    case RouteId::kBrowse: {
      CORE_TRY(search::BrowseRequest wanted, to_browse_request(request.parameters, request.received));
      return answer(use_.search.browse(take(wanted)), request.request_id);
    }
    case RouteId::kTrending: {
      CORE_TRY(search::TrendingRequest wanted, to_trending_request(request.parameters, request.received));
      return answer(use_.search.trending(take(wanted)), request.request_id);
    }
    case RouteId::kForYou: {
      CORE_TRY(search::ForYouRequest wanted, to_for_you_request(request.parameters, request.received));
      return answer(use_.search.for_you(take(wanted)), request.request_id);
    }
    case RouteId::kSimilar: {
      CORE_TRY(search::SimilarRequest wanted, to_similar_request(request.parameters, request.received));
      return answer(use_.search.similar(take(wanted)), request.request_id);
    }
    case RouteId::kLook: {
      CORE_TRY(search::LookRequest wanted, to_look_request(request.parameters, request.received));
      return answer(use_.search.complete_the_look(take(wanted)), request.request_id);
    }
    case RouteId::kWhyNot: {
      CORE_TRY(search::WhyNotRequest wanted, to_why_not_request(request.parameters, request.received));
      return why_not(take(wanted), request.parameters.text("config").value_or(""));
    }
    default: {
      CORE_TRY(search::SearchRequest wanted, to_search_request(request.parameters, request.received));
      return answer(use_.search.search(take(wanted)), request.request_id, request.parameters.text("config").value_or(""));
    }
  }
}

core::Result<Response> Api::not_answered(const search::SearchFailure& failure, const std::string& request_id,
                                         const core::TaskContext* context) const {
  if (failure.error.code == core::ErrorCode::kCancelled) return std::unexpected(failure.error);
  const ApiError error = to_api_error(failure);
  // Refusals at a limit come by the thousand: they are counted, not logged.
  const bool refused = error.reason == search::DegradationReason::kDownstreamCapacityRejected;
  if (error.status >= 500 && !refused) {
    use_.log.warning("a search was not answered",
                     {{"request_id", request_id},
                      {"trace_id", telemetry::trace_id_of(context)},
                      {"reason", error.reason ? search::to_string(*error.reason) : std::string_view("none")},
                      {"cause", error.message}});
  }
  return error_response(error, request_id);
}

Work Api::answer(core::Task<search::SearchOutcome> search, std::string request_id, std::string configuration) {
  const search::SearchOutcome outcome = co_await std::move(search);
  const std::shared_ptr<core::TaskContext> context = co_await core::current_context();
  if (!outcome) co_return not_answered(outcome.error(), request_id, context.get());
  co_return answered(*outcome, configuration);
}

Work Api::visual(RoutedRequest request) {
  const std::string request_id = request.request_id;
  RoutedRequest asked{.route = request.route, .request_id = request_id, .caller = request.caller};  // without its body
  core::Task<VisualRequests::Outcome> reading = visual_.read(std::move(request));
  VisualRequests::Outcome wish = co_await std::move(reading);
  if (!wish) {
    const ApiError& error = wish.error();
    if (error.field == "config" || (error.status == 403 && error.field == "explain")) audit_explanation(asked, error.status);
    co_return error_response(error, request_id);
  }
  if (use_.limits != nullptr && wish->request.user_id) {
    const RateLimits::UserCosts costs{{wish->request.user_id->value(), base_cost(asked.route->id)}};
    if (auto refused = use_.limits->charge_users(costs, request_id)) co_return std::move(*refused);
  }
  const bool explained = wish->request.explain || !wish->configuration.empty();
  core::Task<std::optional<ApiError>> fetching = visual_.fetch(*wish);
  if (const std::optional<ApiError> fault = co_await std::move(fetching)) {
    if (explained) audit_explanation(asked, fault->status);
    co_return error_response(*fault, request_id);
  }
  if (options_.log_queries) log_query(wish->request.query, wish->request.user_id ? wish->request.user_id->value() : "", request_id);
  const std::string_view picture_field = wish->picture_field;
  core::Task<search::SearchOutcome> searching = use_.search.search(std::move(wish->request));
  search::SearchOutcome outcome = co_await std::move(searching);
  if (explained) audit_explanation(asked, outcome ? 200 : to_api_error(outcome.error()).status);
  if (outcome) {
    co_return answered(*outcome, wish->configuration);
  }
  search::SearchFailure& failure = outcome.error();
  const bool of_picture = failure.error.field == "image" || failure.error.field == "article";
  if (of_picture && !picture_field.empty()) failure.error.field = picture_field;  // as the client named it
  const std::shared_ptr<core::TaskContext> context = co_await core::current_context();
  co_return not_answered(failure, request_id, context.get());
}

Work Api::why_not(search::WhyNotRequest wanted, std::string configuration) {
  const std::string request_id = wanted.request_id.value();
  const search::WhyNotOutcome outcome = co_await use_.search.why_not(std::move(wanted));
  const std::shared_ptr<core::TaskContext> context = co_await core::current_context();
  if (!outcome) co_return not_answered(outcome.error(), request_id, context.get());
  co_return json_response(why_not_json(*outcome, configuration));
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

core::Result<Response> Api::suggest(const RoutedRequest& request) const {
  CORE_TRY(const search::SuggestAnswer answer, use_.suggest.suggest({.request_id = core::RequestId(request.request_id),
                                                                     .prefix = request.parameters.text("prefix").value_or(""),
                                                                     .k = request.parameters.integer("k")}));
  return json_response(suggest_answer_json(answer));
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
  json.key("articles").integer(serving->catalog().article_count());
  if (use_.dependencies) write_dependencies(json.key("dependencies"), use_.dependencies());
  json.end_object();
  return json_response(std::move(json).take());
}

Response Api::refuse(const ApiError& error, std::string_view request_id) { return error_response(error, request_id); }

void Api::finished(const FinishedCall& call) {
  http_metrics_.record(call);
  if (call.audit != nullptr && use_.audit != nullptr) use_.audit->write(call);
  if (!use_.log.enabled(telemetry::LogLevel::kDebug)) return;
  use_.log.log(telemetry::LogLevel::kDebug, "request",
               {{"request_id", call.request_id},
                {"trace_id", telemetry::trace_id_of(call.trace)},
                {"route", call.route},
                {"status", call.status},
                {"took_ms", std::chrono::duration<double, std::milli>(call.took).count()}});
}

}  // namespace scalestyle::http
