// scalestyle serve: everything in one process.

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "command_list.hpp"
#include "http/api.hpp"
#include "http/server.hpp"
#include "image_fetching.hpp"
#include "search/refresh_loop.hpp"
#include "search_settings.hpp"
#include "serving_stack.hpp"
#include "telemetry/log.hpp"
#include "telemetry/memory.hpp"
#include "version.hpp"

namespace scalestyle::app {

namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

constexpr auto kFollowInterval = 250ms;     // a running server notices a new generation within this
constexpr std::size_t kWarmDepth = 8;       // articles reranked before the first request
constexpr auto kGenerationTimeLimit = 60s;  // to read one
// A PNG file of one grey pixel.
constexpr std::string_view kGreyPixel =
    "\x89\x50\x4e\x47\x0d\x0a\x1a\x0a\x00\x00\x00\x0d\x49\x48\x44\x52\x00\x00\x00\x01\x00\x00\x00\x01"
    "\x08\x00\x00\x00\x00\x3a\x7e\x9b\x55\x00\x00\x00\x0a\x49\x44\x41\x54\x78\x9c\x63\x68\x00\x00\x00"
    "\x82\x00\x81\x77\xcd\x72\xb6\x00\x00\x00\x00\x49\x45\x4e\x44\xae\x42\x60\x82"sv;

core::Result<telemetry::Logger::Options> log_options(const core::Settings& settings) {
  telemetry::Logger::Options options;
  CORE_TRY(options.level, telemetry::parse_log_level(settings.text("log_level")));
  const auto& format = settings.text("log_format");
  options.format = format == "auto"    ? telemetry::Logger::format_for_standard_error()
                   : format == "human" ? telemetry::LogFormat::kHuman
                                       : telemetry::LogFormat::kJson;
  return options;
}

core::Result<http::ServerOptions> server_options(const core::Settings& settings) {
  const auto milliseconds = [&](std::string_view name) { return std::chrono::milliseconds(settings.integer(name)); };
  http::ServerOptions options;
  options.host = settings.text("host");
  options.port = static_cast<std::uint16_t>(settings.integer("port"));
  options.max_connections = static_cast<std::size_t>(settings.integer("max_connections"));
  options.idle_timeout = milliseconds("idle_timeout_ms");
  options.header_timeout = milliseconds("read_timeout_ms");
  options.body_timeout = milliseconds("read_timeout_ms");
  options.drain_timeout = milliseconds("drain_timeout_ms");
  CORE_CHECK(options.validate());
  return options;
}

// Loads model and generation, then listens: /live answers while it warms up, /ready once that is done.
class ServeRun {
 public:
  ServeRun(const core::Settings& settings, core::SteadyTime started) : settings_(settings), started_(started) {}

  core::Status run() {
    CORE_TRY(const auto logging, log_options(settings_));
    CORE_TRY(const auto options, server_options(settings_));
    telemetry::Logger log(logging, clock_);
    CORE_TRY(const auto stack, ServingStack::create(settings_, &log));
    telemetry::show_resident_memory(stack->metrics());
    if (const std::string& notice = stack->reranking().notice(); !notice.empty()) log.warning(notice);
    CORE_TRY(const auto pictures, ImageFetching::create(settings_, clock_));
    http::Api api({.search = stack->service(), .events = stack->event_service(), .generations = stack->generations(), .pool = stack->compute().pool(),
                   .clock = clock_, .metrics = stack->metrics(), .log = log, .suggest = stack->suggest(), .live = stack->live(),
                   .fetcher = pictures->fetcher(), .reasons = stack->reasons(), .timers = &stack->timers(),
                   .dependencies = [serving = stack.get()] { return serving->dependencies(); }},
                  {.version = std::string(kVersion), .max_query_image_bytes = max_query_image_bytes(settings_)});
    CORE_TRY(const auto server, http::Server::open(options, {.application = api, .clock = clock_, .metrics = stack->metrics(), .log = log}));
    if (const auto loaded = load_generation(*stack); !loaded) {
      stack->stop_threads();
      return loaded;
    }
    const std::string pictureless = stack->generations().serving()->picture_refusal();
    if (settings_.boolean("vision_enabled") && !pictureless.empty()) log.warning(pictureless);
    if (const auto started = stack->start_events(); !started) {
      stack->stop_threads();
      return started;
    }
    server->drain_on_signals([&log](int number) { log.info("draining", {{"signal", number}}); });
    std::thread io([&server] { server->run(); });
    const auto warm = warm_up(*stack);
    if (warm) {
      api.mark_warm();
      log_ready(log, *stack, server->port());
    } else {
      server->begin_drain();
    }
    search::RefreshLoop follower({.holder = stack->generations(), .timers = stack->timers(), .clock = clock_, .log = log,
                                  .synonyms = stack->synonyms(), .rules = stack->rules(), .ranker = &stack->ranker(), .suggest = &stack->suggest()},
                                 {.interval = kFollowInterval});
    follower.start();
    io.join();
    pictures->stop();
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

  // Touches what the first request would otherwise wait for: weights, vectors, workspaces of every compute thread.
  static core::Status warm_up(ServingStack& stack) {
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
    log.info("ready", {{"role", "serve"},
                       {"port", port},
                       {"articles", stack.generations().serving()->info().articles},
                       {"generation", stack.generations().serving()->info().id.value()},
                       {"models", models},
                       {"seconds", std::chrono::duration<double>(clock_.steady_now() - started_).count()}});
  }

  const core::Settings& settings_;
  const core::SteadyTime started_;
  core::SystemClock clock_;
};

int run_serve(const Invocation& invocation) {
  const auto status = ServeRun(invocation.settings, std::chrono::steady_clock::now()).run();
  return status ? kExitOk : report(status.error());
}

}  // namespace

Command serve_command() {
  return {.path = {"serve"},
          .help = "Answer searches and take events over HTTP",
          .settings = with_inference_settings(with_generation_settings(with_query_image_settings(with_serving_settings(with_suggest_settings(with_search_settings({"data", "host", "port", "models", "model", "query_precision", "query_prefix",
                                             "compute_threads", "isa", "max_connections", "max_concurrent_requests",
                                             "idle_timeout_ms", "read_timeout_ms", "drain_timeout_ms", "log_level",
                                             "log_format"})))))),
          .run = run_serve};
}

}  // namespace scalestyle::app
