#include "http/inference_api.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "http/json_writer.hpp"
#include "telemetry/trace.hpp"

namespace scalestyle::http {

namespace {

using core::ErrorCode;

constexpr std::chrono::milliseconds kPlainDeadline{2'000};  // of what is not computed

struct PathRoute {
  std::string_view path;
  Method method;
  InferenceRoute route;
};
constexpr std::array kRoutes{
    PathRoute{"/embed", Method::kPost, InferenceRoute::kEmbed},
    PathRoute{"/rerank", Method::kPost, InferenceRoute::kRerank},
    PathRoute{"/v1/embeddings", Method::kPost, InferenceRoute::kOpenAiEmbeddings},
    PathRoute{"/v1/chat/completions", Method::kPost, InferenceRoute::kChat},
    PathRoute{"/generate", Method::kPost, InferenceRoute::kGenerate},
    PathRoute{"/embed_image", Method::kPost, InferenceRoute::kEmbedImage},
    PathRoute{"/info", Method::kGet, InferenceRoute::kInfo},
    PathRoute{"/health", Method::kGet, InferenceRoute::kHealth},
    PathRoute{"/v1/models", Method::kGet, InferenceRoute::kModels},
    PathRoute{"/live", Method::kGet, InferenceRoute::kLive},
    PathRoute{"/ready", Method::kGet, InferenceRoute::kReady},
    PathRoute{"/metrics", Method::kGet, InferenceRoute::kMetrics},
};

const PathRoute* find_route(std::string_view path) {
  const auto found = std::ranges::find(kRoutes, path, &PathRoute::path);
  return found == kRoutes.end() ? nullptr : &*found;
}

std::string_view allowed(Method method) { return method == Method::kPost ? "POST, OPTIONS" : "GET, HEAD, OPTIONS"; }

Response told(int status, std::string message, std::string field = {}) {
  return inference_error_response(
      {.status = status, .type = inference_error_type(status), .message = std::move(message), .field = std::move(field)},
      InferenceDialect::kTei);
}

// Empty: the body may be read.
std::string media_fault(const Request& request) {
  const std::string_view type = request.content_type;
  if (!type.empty() && !type.starts_with("application/json")) return "Content-Type";
  const std::string_view coding = request.content_encoding;
  return coding.empty() || coding == "identity" ? "" : "Content-Encoding";
}

}  // namespace

InferenceApi::InferenceApi(Dependencies dependencies, Options options)
    : use_(dependencies),
      options_(std::move(options)),
      routes_({.models = use_.models, .pool = use_.pool, .timers = use_.timers, .clock = use_.clock, .log = use_.log},
              options_.routes),
      http_metrics_(use_.metrics) {}

Call InferenceApi::begin(Request request) {
  Call call;
  call.request_id = choose_request_id(request.request_id_header);
  call.route = "none";
  call.deadline = core::Deadline::at(request.received + kPlainDeadline);
  const auto answered = [&call](Response response) {
    call.work = std::move(response);
    return std::move(call);
  };
  const auto parts = split_target(request.target);
  const PathRoute* const found = parts ? find_route(parts->path) : nullptr;
  const bool hidden = found != nullptr && found->route == InferenceRoute::kMetrics && request.audience == Audience::kPublic;
  if (found == nullptr || hidden) return answered(told(404, "there is no such path", "target"));
  call.route = found->path;
  const bool takes = request.method == found->method || (request.method == Method::kHead && found->method == Method::kGet);
  if (!takes) {
    const bool asks = request.method == Method::kOptions;
    Response response = asks ? Response{.status = 204} : told(405, fmt::format("this path answers {}", allowed(found->method)));
    response.headers.emplace_back("Allow", allowed(found->method));
    return answered(std::move(response));
  }
  if (auto refused = refusal(request, found->route, call)) return answered(std::move(*refused));
  switch (found->route) {
    case InferenceRoute::kInfo:
      return answered(json_response(info()));
    case InferenceRoute::kModels:
      return answered(json_response(models_list_json(served())));
    case InferenceRoute::kLive:
      return answered(json_response(R"({"status":"live"})"));
    case InferenceRoute::kHealth:
    case InferenceRoute::kReady:
      return answered(ready());
    case InferenceRoute::kMetrics:
      call.work = render_metrics(call.deadline);
      return call;
    default:
      return compute(std::move(request), found->route, std::move(call));
  }
}

std::optional<Response> InferenceApi::refusal(const Request& request, InferenceRoute route, Call& call) const {
  if (use_.access == nullptr) return std::nullopt;
  call.headers = use_.access->answer_headers(request);
  ScopeSet scopes{Scope::kSearch};
  if (route == InferenceRoute::kMetrics) scopes = ScopeSet{Scope::kAdmin};
  if (route == InferenceRoute::kHealth || route == InferenceRoute::kLive || route == InferenceRoute::kReady) scopes = ScopeSet{};
  const auto caller = use_.access->admit(request, scopes);
  if (caller && !caller->is_bound()) return std::nullopt;
  const ApiError error = caller ? make_error("forbidden", "browser keys are for the shop's API, not for models") : caller.error().error;
  if (use_.audit != nullptr && route == InferenceRoute::kMetrics) {
    call.audit = std::make_shared<const AuditNote>(
        AuditNote{.key_id = caller ? caller->key_id : caller.error().key_id, .action = "metrics"});
  }
  Response response = inference_error_response(
      {.status = error.status, .type = inference_error_type(error.status), .message = error.message, .field = error.field},
      InferenceRoutes::dialect(route));
  if (error.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"scalestyle\"");
  return response;
}

Call InferenceApi::compute(Request request, InferenceRoute route, Call call) {
  const auto refused = [&](int status, std::string message, std::string field) {
    const InferenceError error{
        .status = status, .type = inference_error_type(status), .message = std::move(message), .field = std::move(field)};
    call.work = inference_error_response(error, InferenceRoutes::dialect(route));
    return std::move(call);
  };
  if (const std::string fault = media_fault(request); !fault.empty()) {
    return refused(415, "the body must be JSON, not compressed", fault);
  }
  const auto deadline = deadline_of(request);
  if (!deadline) return refused(422, deadline.error().message, deadline.error().field);
  call.deadline = *deadline;
  call.work = routes_.perform({.route = route,
                               .body = std::move(request.body),
                               .deadline = *deadline,
                               .client_deadline = !request.timeout_header.empty(),
                               .request_id = call.request_id,
                               .trace_id = telemetry::trace_id_of(request.trace.get())});
  return call;
}

core::Result<core::Deadline> InferenceApi::deadline_of(const Request& request) const {
  if (request.timeout_header.empty()) return core::Deadline::at(request.received + options_.default_deadline);
  const std::string& text = request.timeout_header;
  std::int64_t milliseconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), milliseconds);
  if (error != std::errc() || end != text.data() + text.size() || milliseconds < 1 ||
      milliseconds > options_.max_deadline.count()) {
    return core::fail(ErrorCode::kInvalidArgument,
                      fmt::format("X-Request-Timeout-Ms must be a whole number from 1 to {}", options_.max_deadline.count()),
                      "X-Request-Timeout-Ms");
  }
  return core::Deadline::at(request.received + std::chrono::milliseconds(milliseconds));
}

std::optional<std::size_t> InferenceApi::body_limit(Method method, std::string_view target) {
  const auto parts = split_target(target);
  const PathRoute* const found = parts ? find_route(parts->path) : nullptr;
  if (found == nullptr || method != Method::kPost || found->method != Method::kPost) return std::nullopt;
  return found->route == InferenceRoute::kEmbedImage ? options_.max_image_body_bytes : options_.max_text_body_bytes;
}

ServedModels InferenceApi::served() const {
  const InferenceModels& models = use_.models;
  return {.text = models.text != nullptr ? &models.text->info() : nullptr,
          .pairs = models.pairs != nullptr ? &models.pairs->info() : nullptr,
          .pictures = models.pictures != nullptr ? &models.pictures->info() : nullptr,
          .generator = models.generator != nullptr ? &models.generator->info() : nullptr,
          .pair_tokens_per_second = models.pairs != nullptr ? models.pairs->tokens_per_second() : 0};
}

std::string InferenceApi::info() const {
  return inference_info_json(served(), {.version = options_.version,
                                        .pooling = options_.pooling,
                                        .max_batch_tokens = options_.max_batch_tokens,
                                        .max_client_batch_size = options_.routes.limits.max_texts,
                                        .max_concurrent_requests = options_.max_connections,
                                        .max_images = options_.routes.limits.max_images,
                                        .workers = use_.pool.threads()});
}

Response InferenceApi::ready() const {
  const auto unhealthy = [](std::string why) {
    return inference_error_response({.status = 503, .type = "Unhealthy", .message = "not ready: " + std::move(why)},
                                    InferenceDialect::kTei);
  };
  if (draining_.load()) return unhealthy("the server is shutting down");
  if (!warm_.load()) return unhealthy("models are being warmed");
  const ServedModels models = served();
  JsonWriter json(256);
  json.begin_object().key("status").text("ready").key("models").begin_array();
  for (const std::string* name :
       {models.text ? &models.text->model : nullptr, models.pairs ? &models.pairs->model : nullptr,
        models.pictures ? &models.pictures->model : nullptr, models.generator ? &models.generator->model : nullptr}) {
    if (name != nullptr) json.text(*name);
  }
  json.end_array().end_object();
  return json_response(std::move(json).take());
}

Work InferenceApi::render_metrics(core::Deadline deadline) {
  CORE_CO_CHECK(co_await use_.pool.schedule(deadline));
  Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = use_.metrics.render();
  co_return response;
}

Response InferenceApi::refuse(const ApiError& error, std::string_view /*request_id*/) {
  Response response = told(error.status, error.message, error.field);
  response.close = error.close;
  return response;
}

void InferenceApi::finished(const FinishedCall& call) {
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
