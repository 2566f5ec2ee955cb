// scalestyle serve: everything in one process. scalestyle gateway: the same, but that it leaves to others what they can do.

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "access_stack.hpp"
#include "command_list.hpp"
#include "http/api.hpp"
#include "events/event_id.hpp"
#include "http/server.hpp"
#include "image_fetching.hpp"
#include "process_options.hpp"
#include "rate_limiting.hpp"
#include "search/generation_reporter.hpp"
#include "search/refresh_loop.hpp"
#include "search_settings.hpp"
#include "serving_stack.hpp"
#include "telemetry/log.hpp"
#include "telemetry/memory.hpp"
#include "telemetry/process_metrics.hpp"
#include "version.hpp"

namespace scalestyle::app {

namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

constexpr int kPort = 8080;
constexpr auto kFollowInterval = 250ms;     // a running server notices a new generation within this
constexpr std::size_t kWarmDepth = 8;       // articles reranked before the first request
constexpr auto kGenerationTimeLimit = 60s;  // to read one
constexpr auto kLoadAgain = 1s;             // pause before a catalogue of another engine is asked for again
// A PNG file of one grey pixel.
constexpr std::string_view kGreyPixel =
    "\x89\x50\x4e\x47\x0d\x0a\x1a\x0a\x00\x00\x00\x0d\x49\x48\x44\x52\x00\x00\x00\x01\x00\x00\x00\x01"
    "\x08\x00\x00\x00\x00\x3a\x7e\x9b\x55\x00\x00\x00\x0a\x49\x44\x41\x54\x78\x9c\x63\x68\x00\x00\x00"
    "\x82\x00\x81\x77\xcd\x72\xb6\x00\x00\x00\x00\x49\x45\x4e\x44\xae\x42\x60\x82"sv;

// Loads model and generation, then listens: /live answers while it warms up, /ready once that is done.
class ServeRun {
 public:
  ServeRun(const core::Settings& settings, Role role, core::SteadyTime started) : settings_(settings), role_(role), started_(started) {}

  core::Status run() {
    CORE_TRY(const auto logging, log_options(settings_));
    CORE_TRY(auto options, server_options(settings_, kPort));
    limit_connections(settings_, options);
    telemetry::Logger log(logging, clock_);
    CORE_TRY(const StoreChoice stores, choose_stores(settings_, role_));
    CORE_TRY(const auto access, AccessStack::open(settings_, {.clock = clock_, .log = log}));
    CORE_TRY(const auto configurations, open_configurations(settings_));
    CORE_TRY(const auto stack, ServingStack::create(settings_, {.stores = stores, .events_log = &log,
                                                            .role = role_ == Role::kGateway ? "gateway" : "serve"}));
    telemetry::show_resident_memory(stack->metrics());
    telemetry::show_process(stack->metrics(), {.version = std::string(kVersion), .role = role_ == Role::kGateway ? "gateway" : "serve"});
    if (configurations) http::show_configurations(stack->metrics(), *configurations);
    if (const std::string& notice = stack->reranking().notice(); !notice.empty()) log.warning(notice);
    CORE_TRY(const auto pictures, ImageFetching::create(settings_, clock_));
    CORE_TRY(const auto limits, make_rate_limits(settings_, clock_, stack->metrics()));
    http::Api api({.search = stack->service(), .events = stack->event_service(), .generations = stack->generations(), .pool = stack->compute().pool(),
                   .clock = clock_, .metrics = stack->metrics(), .log = log, .suggest = stack->suggest(), .live = stack->live(),
                   .fetcher = pictures->fetcher(), .reasons = stack->reasons(), .timers = &stack->timers(), .limits = limits.get(),
                   .dependencies = [serving = stack.get()] { return serving->dependencies(); },
                   .access = &access->control(stack->metrics()), .audit = &access->audit(), .configurations = configurations.get()},
                  {.version = std::string(kVersion), .max_query_image_bytes = max_query_image_bytes(settings_),
                   .log_queries = settings_.boolean("log_queries")});
    CORE_TRY(const auto server, http::Server::open(options, {.application = api, .clock = clock_, .metrics = stack->metrics(), .log = log,
                                                         .tracer = stack->tracer()}));
    if (!stores.catalog_in_redis) {
      if (const auto loaded = load_generation(*stack); !loaded) {
        stack->stop_threads();
        return loaded;
      }
    }
    if (const auto started = stack->start_events(); !started) {
      stack->stop_threads();
      return started;
    }
    server->drain_on_signals([this, &log](int number) {
      log.info("draining", {{"signal", number}});
      draining_.store(true);
    });
    std::thread io([&server] { server->run(); });
    auto warm = stores.catalog_in_redis ? wait_for_generation(*stack, log) : core::Status();
    if (warm && !draining_.load()) warm = warm_up(*stack, log);
    if (warm && !draining_.load()) {
      api.mark_warm();
      log_ready(log, *stack, server->port());
    } else {
      server->begin_drain();
    }
    search::RefreshLoop follower({.holder = stack->generations(), .timers = stack->timers(), .clock = clock_, .log = log,
                                  .synonyms = stack->synonyms(), .rules = stack->rules(), .ranker = &stack->ranker(), .suggest = &stack->suggest(),
                                  .follow_others = [&log, file = configurations.get()] { if (file != nullptr) file->follow_and_tell(log); }},
                                 {.interval = kFollowInterval});
    follower.start();
    access->follow(stack->timers(), stack->compute().pool());
    std::unique_ptr<search::GenerationReporter> reporter;
    if (stack->generation_use() != nullptr) {
      reporter = std::make_unique<search::GenerationReporter>(
          search::GenerationReporter::Dependencies{.use = *stack->generation_use(), .holder = stack->generations(),
                                                   .timers = stack->timers(), .clock = clock_, .log = log},
          search::GenerationReporter::Options{.gateway = events::make_event_id()});
      reporter->start();
    }
    io.join();
    if (reporter) reporter->stop();
    pictures->stop();
    access->stop();
    stack->stop_threads();  // api and follower are used by them
    log.info("stopped");
    return warm;
  }

 private:
  static core::Status load_generation(ServingStack& stack) {
    const auto limit = core::Deadline::after(kGenerationTimeLimit, stack.compute().clock());
    CORE_TRY([[maybe_unused]] const auto outcome, core::sync_wait(stack.generations().refresh(limit)));
    return {};
  }

  // A catalogue in another engine may not be there yet, nor the engine.
  core::Status wait_for_generation(ServingStack& stack, telemetry::Logger& log) const {
    std::string told;
    while (!draining_.load()) {
      const auto loaded = load_generation(stack);
      if (loaded) return {};
      using enum core::ErrorCode;
      const auto code = loaded.error().code;
      if (code != kUnavailable && code != kDeadlineExceeded && code != kNotFound) return loaded;
      if (loaded.error().message != told) {
        told = loaded.error().message;
        log.error("waiting for a catalogue", {{"cause", told}});
      }
      std::this_thread::sleep_for(kLoadAgain);
    }
    return {};
  }

  // Touches what the first request would otherwise wait for: weights, vectors, workspaces of every compute thread.
  core::Status warm_up(ServingStack& stack, telemetry::Logger& log) const {
    const std::string pictureless = stack.generations().serving()->picture_refusal();
    if (settings_.boolean("vision_enabled") && !pictureless.empty()) log.warning(pictureless);
    const std::string refusal = stack.generations().serving()->dense_refusal();
    if (!refusal.empty()) return core::fail(core::ErrorCode::kFailedPrecondition, refusal);
    for (std::size_t i = 0; i < 2 * stack.compute().pool().threads(); ++i) {
      search::SearchRequest request;
      request.query = "warm winter jacket for a walk in the rain";
      request.rerank = {.enabled = i == 0, .depth = kWarmDepth};
      request.deadline = core::Deadline::after(search::kMaxDeadline, stack.compute().clock());
      if (const auto answer = core::sync_wait(stack.service().search(std::move(request))); !answer) {
        return std::unexpected(answer.error().error);
      }
    }
    return warm_up_vision(stack);
  }

  // Both towers and the vectors of photos; nothing where there are none.
  static core::Status warm_up_vision(ServingStack& stack) {
    if (!stack.generations().serving()->picture_refusal().empty()) return {};
    search::SearchRequest request;
    request.query = "warm winter jacket";
    request.visual.emplace().mode = search::VisualMode::kMultimodal;
    request.visual->image = std::make_shared<const std::string>(kGreyPixel);
    request.deadline = core::Deadline::after(search::kMaxDeadline, stack.compute().clock());
    const auto answer = core::sync_wait(stack.service().search(std::move(request)));
    return answer ? core::Status() : std::unexpected(answer.error().error);
  }

  void log_ready(telemetry::Logger& log, ServingStack& stack, std::uint16_t port) const {
    const auto& info = stack.encoder().info();
    std::string models = info.model + " " + info.precision;
    if (auto* reranker = stack.reranking().reranker(); reranker != nullptr) {
      models += ", " + reranker->info().model + " " + reranker->info().precision;
    }
    if (auto* reasons = stack.reasons(); reasons != nullptr) {
      models += ", " + reasons->info().model + " " + reasons->info().precision;
    }
    log.info("ready", {{"role", role_ == Role::kGateway ? "gateway" : "serve"},
                       {"port", port},
                       {"articles", stack.generations().serving()->info().articles},
                       {"generation", stack.generations().serving()->info().id.value()},
                       {"models", models},
                       {"seconds", std::chrono::duration<double>(clock_.steady_now() - started_).count()}});
  }

  const core::Settings& settings_;
  const Role role_;
  const core::SteadyTime started_;
  std::atomic<bool> draining_{false};
  core::SystemClock clock_;
};

int run_as(Role role, const Invocation& invocation) {
  const auto status = ServeRun(invocation.settings, role, std::chrono::steady_clock::now()).run();
  return status ? kExitOk : report(status.error());
}

std::vector<std::string> settings_names() {
  std::vector<std::string> names{"data", "models", "model", "query_precision", "query_prefix", "document_precision", "compute_threads",
                                 "compute_lanes", "isa", "max_concurrent_requests", "graph_ef", "graph_step_cost"};
  names = with_suggest_settings(with_search_settings(with_access_settings(with_process_settings(std::move(names)))));
  names = with_inference_settings(with_generation_settings(with_query_image_settings(with_serving_settings(std::move(names)))));
  names = with_redis_feature_settings(with_redis_settings(with_store_settings(std::move(names))));
  return with_rate_limit_settings(with_milvus_settings(with_kafka_settings(std::move(names))));
}

}  // namespace

Command serve_command() {
  return {.path = {"serve"},
          .help = "Answer searches and take events over HTTP",
          .settings = settings_names(),
          .run = [](const Invocation& invocation) { return run_as(Role::kServe, invocation); }};
}

Command gateway_command() {
  return {.path = {"gateway"},
          .help = "The same, leaving events in Kafka to consumers",
          .settings = settings_names(),
          .run = [](const Invocation& invocation) { return run_as(Role::kGateway, invocation); }};
}

}  // namespace scalestyle::app
