// scalestyle consumer: carries events from Kafka into the features in Redis, with the other consumers of its group.

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "command_list.hpp"
#include "event_stack.hpp"
#include "http/json_writer.hpp"
#include "http/probe_api.hpp"
#include "http/server.hpp"
#include "kafka_stack.hpp"
#include "process_options.hpp"
#include "redis_features.hpp"
#include "redis_stack.hpp"
#include "runtime.hpp"
#include "store_choice.hpp"
#include "telemetry/memory.hpp"
#include "telemetry/process_metrics.hpp"
#include "tracing_stack.hpp"
#include "version.hpp"

namespace scalestyle::app {

namespace {

using namespace std::chrono_literals;

constexpr auto kStartDeadline = 30s;        // for the engines to answer at the start
constexpr double kDeadSeconds = 300;        // without a poll: the process should be started anew
constexpr double kStaleSeconds = 120;       // without a poll: it takes no part
constexpr auto kAssignmentGrace = 30s;      // a primary consumer without partitions after this is not ready
constexpr int kPrimaryPort = 8081;
constexpr int kRetryPort = 8082;
constexpr std::size_t kProbeThreads = 1;

class ConsumerRun {
 public:
  ConsumerRun(const core::Settings& settings, core::SteadyTime started)
      : settings_(settings), started_(started), retry_(settings.text("mode") == "retry") {}

  core::Status run() {
    CORE_TRY(const auto logging, log_options(settings_));
    CORE_TRY(const auto options, server_options(settings_, retry_ ? kRetryPort : kPrimaryPort));
    CORE_TRY([[maybe_unused]] const StoreChoice stores, choose_stores(settings_, Role::kConsumer));
    telemetry::Logger log(logging, clock_);
    telemetry::show_resident_memory(metrics_);
    telemetry::show_process(metrics_, {.version = std::string(kVersion), .role = "consumer"});
    Compute compute(kProbeThreads);
    std::thread timer_thread([this] { timers_.run(); });
    const auto outcome = serve(options, compute, log);
    timers_.stop();
    timer_thread.join();
    compute.stop();
    log.info("stopped");
    return outcome;
  }

 private:
  // The engines first: what they lack is the process's end, with the cause.
  core::Status serve(const http::ServerOptions& options, Compute& compute, telemetry::Logger& log) {
    CORE_TRY(const auto redis, RedisStack::open(settings_, {.clock = clock_, .metrics = metrics_, .log = log}));
    CORE_TRY(features_, RedisFeatures::open(settings_, *redis, {.applies = true},
                                            {.timers = timers_, .clock = clock_, .metrics = metrics_, .log = log}));
    CORE_TRY(const auto tracing, TracingStack::open(settings_, "consumer", {.clock = clock_, .metrics = metrics_, .log = log}));
    CORE_TRY(kafka_, KafkaStack::open(settings_, {.timers = timers_, .clock = clock_, .metrics = metrics_, .log = log,
                                                  .tracer = tracing->tracer()}));
    http::ProbeApi api({.pool = compute.pool(), .metrics = metrics_, .live = [this] { return live(); }, .ready = [this] { return ready(); }});
    const auto outcome = consume(options, api, log);
    kafka_->stop();
    features_->stop();
    redis->stop();
    tracing->stop();
    return outcome;
  }

  core::Status consume(const http::ServerOptions& options, http::ProbeApi& api, telemetry::Logger& log) {
    CORE_TRY(const auto server, http::Server::open(options, {.application = api, .clock = clock_, .metrics = metrics_, .log = log}));
    const auto deadline = core::Deadline::after(kStartDeadline, clock_);
    CORE_CHECK(features_->check(deadline));
    CORE_CHECK(kafka_->prepare_topics(deadline));
    features_->start();
    CORE_CHECK(retry_ ? kafka_->consume_retries(features_->store()) : kafka_->consume_primary(features_->store()));
    server->drain_on_signals([&log](int number) { log.info("draining", {{"signal", number}}); });
    log.info("consuming", {{"role", "consumer"}, {"mode", settings_.text("mode")}, {"port", server->port()},
                           {"seconds", std::chrono::duration<double>(clock_.steady_now() - started_).count()}});
    server->run();
    return {};
  }

  struct Look {
    bool loops_run = true;
    double seconds_since_poll = 0;
    std::size_t assigned = 0;
    std::uint64_t lag = 0;
    std::string trouble{};
  };
  Look look() const {
    Look look;
    const auto states = kafka_->consumers();
    look.loops_run = !states.empty();
    for (const auto& state : states) {
      look.seconds_since_poll = std::max(look.seconds_since_poll, state.seconds_since_step);
      look.assigned += state.assigned_partitions;
      look.lag += state.lag;
      if (look.trouble.empty()) look.trouble = state.trouble;
    }
    return look;
  }

  static void write_polling(http::JsonWriter& json, const Look& look, double threshold) {
    json.key("consumer_loop").begin_object().key("status").text(look.loops_run ? "ok" : "dead").end_object();
    json.key("poll_freshness").begin_object().key("status").text(look.seconds_since_poll > threshold ? "stale" : "ok");
    json.key("last_poll_seconds_ago").number(look.seconds_since_poll).key("threshold_s").number(threshold).end_object();
  }

  http::ProbeAnswer live() const {
    const Look now = look();
    const bool ok = now.loops_run && now.seconds_since_poll <= kDeadSeconds;
    http::JsonWriter json;
    json.begin_object().key("live").boolean(ok).key("checks").begin_object();
    write_polling(json, now, kDeadSeconds);
    json.end_object().end_object();
    return {ok, std::move(json).take()};
  }

  // Redis is told of and changes nothing: while it is away events wait in Kafka, and another process would not do better.
  http::ProbeAnswer ready() const {
    const Look now = look();
    const auto uptime = clock_.steady_now() - started_;
    const bool unassigned = now.assigned == 0 && !retry_ && uptime > kAssignmentGrace;
    const bool ok = now.loops_run && now.seconds_since_poll <= kStaleSeconds && !unassigned;
    http::JsonWriter json;
    json.begin_object().key("healthy").boolean(ok).key("checks").begin_object();
    write_polling(json, now, kStaleSeconds);
    json.key("kafka").begin_object().key("status").text(unassigned ? "no_assignment" : now.assigned == 0 ? "ok_empty" : "ok");
    json.key("assigned_partitions").integer(now.assigned).key("lag").integer(now.lag);
    if (!now.trouble.empty()) json.key("trouble").text(now.trouble);
    json.end_object().key("redis").begin_object();
    const std::string redis = features_->trouble();
    json.key("status").text(redis.empty() ? "ok" : "error");
    if (!redis.empty()) json.key("cause").text(redis);
    json.end_object();
    json.end_object().end_object();
    return {ok, std::move(json).take()};
  }

  const core::Settings& settings_;
  const core::SteadyTime started_;
  const bool retry_;
  core::SystemClock clock_;
  telemetry::Metrics metrics_;
  core::TimerQueue timers_{clock_};
  std::unique_ptr<RedisFeatures> features_;
  std::unique_ptr<KafkaStack> kafka_;
};

int run_consumer(const Invocation& invocation) {
  const auto status = ConsumerRun(invocation.settings, std::chrono::steady_clock::now()).run();
  return status ? kExitOk : report(status.error());
}

}  // namespace

Command consumer_command() {
  return {.path = {"consumer"},
          .help = "Carry events from Kafka into the features in Redis",
          .settings = with_redis_feature_settings(with_redis_settings(with_kafka_settings(with_store_settings(with_process_settings(
              with_feature_settings({"mode"})))))),
          .run = run_consumer};
}

}  // namespace scalestyle::app
