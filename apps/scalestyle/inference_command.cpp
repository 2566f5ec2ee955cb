// scalestyle inference: models over HTTP, and nothing else. No catalogue, no events.

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "adapters/embedded/batching_text_encoder.hpp"
#include "adapters/embedded/local_text_generator.hpp"
#include "adapters/embedded/metered_models.hpp"
#include "adapters/embedded/queued_models.hpp"
#include "access_stack.hpp"
#include "command_list.hpp"
#include "core/timer_queue.hpp"
#include "generator_stack.hpp"
#include "http/inference_api.hpp"
#include "http/server.hpp"
#include "model_choice.hpp"
#include "process_options.hpp"
#include "reranker_stack.hpp"
#include "runtime.hpp"
#include "telemetry/log.hpp"
#include "telemetry/memory.hpp"
#include "telemetry/process_metrics.hpp"
#include "tracing_stack.hpp"
#include "version.hpp"
#include "vision_stack.hpp"

namespace scalestyle::app {

namespace {

namespace embedded = adapters::embedded;
using namespace std::string_view_literals;

constexpr int kPort = 8000;
constexpr std::size_t kMaxLargeBodiesBytes = 256 * 1024 * 1024;
constexpr std::chrono::seconds kWarmDeadline{60};
// A PNG file of one grey pixel.
constexpr std::string_view kGreyPixel =
    "\x89\x50\x4e\x47\x0d\x0a\x1a\x0a\x00\x00\x00\x0d\x49\x48\x44\x52\x00\x00\x00\x01\x00\x00\x00\x01"
    "\x08\x00\x00\x00\x00\x3a\x7e\x9b\x55\x00\x00\x00\x0a\x49\x44\x41\x54\x78\x9c\x63\x68\x00\x00\x00"
    "\x82\x00\x81\x77\xcd\x72\xb6\x00\x00\x00\x00\x49\x45\x4e\x44\xae\x42\x60\x82"sv;

core::Status check_device(const core::Settings& settings) {
  const std::string& device = settings.text("inference_device");
  if (device == "cpu") return {};
  return core::fail(
      core::ErrorCode::kInvalidArgument,
      fmt::format("this role computes on the CPU only, not on \"{}\": run a text-embeddings-inference server on the accelerator "
                  "and name it to the gateway by inference_url (and rerank_url)",
                  device),
      "inference_device");
}

// The models that the settings want, with what stands before them where many clients call.
class ServedStack {
 public:
  ServedStack(const core::Settings& settings, Compute& compute, core::TimerQueue& timers, telemetry::Metrics& metrics)
      : settings_(settings), compute_(compute), timers_(timers), metrics_(metrics) {}

  core::Status load() {
    const auto queue_tokens = static_cast<std::size_t>(settings_.integer("inference_queue_tokens"));
    auto& pool = compute_.pool();
    const auto& clock = compute_.clock();
    const embedded::QueueParts pairs{compute_.pool(Lane::kRerank), timers_, clock, metrics_};
    const embedded::QueueParts pictures{compute_.pool(Lane::kPicture), timers_, clock, metrics_};
    CORE_TRY(auto text, load_encoder(settings_, settings_.text("query_precision"), compute_));
    text_ = std::make_unique<embedded::MeteredTextEncoder>(std::move(text), metrics_, clock);
    texts_.emplace(
        embedded::BatchingTextEncoder::Dependencies{
            .encoder = *text_, .pool = pool, .timers = timers_, .clock = clock, .metrics = metrics_},
        embedded::BatchingTextEncoder::Options{
            .batch_tokens = static_cast<std::size_t>(settings_.integer("inference_batch_tokens")), .queue_tokens = queue_tokens});
    notice_ = missing_reranker(settings_);
    if (const std::string& reranker = settings_.text("reranker"); reranker != "none" && notice_.empty()) {
      CORE_TRY(const auto precision, nn::parse_precision(settings_.text("rerank_precision")));
      CORE_TRY(auto pair, load_scorer(settings_, reranker, precision, compute_));
      pair_ = std::make_unique<embedded::MeteredPairScorer>(std::move(pair), metrics_, clock);
      pairs_.emplace(*pair_, embedded::QueuedPairScorer::Options{.queue_tokens = queue_tokens}, pairs);
    }
    CORE_TRY(auto picture, load_image_encoder(settings_, compute_));
    if (picture) {
      picture_ = std::make_unique<embedded::MeteredImageEncoder>(std::move(picture), metrics_, clock);
      pictures_.emplace(*picture_, embedded::QueuedImageEncoder::Options{}, pictures);
    }
    if (settings_.boolean("generation_enabled")) {
      CORE_TRY(generator_, load_generator(settings_, compute_));
    }
    return {};
  }

  // Each model once on every thread: weights and workspaces are there before the first request.
  core::Status warm_up() {
    const auto deadline = core::Deadline::after(kWarmDeadline, compute_.clock());
    for (std::size_t i = 0; i < 2 * compute_.pool().threads(); ++i) {
      CORE_CHECK(core::sync_wait(texts_->encode({"warm winter jacket for a walk in the rain"}, deadline)));
    }
    if (pairs_) {
      CORE_CHECK(core::sync_wait(pairs_->score("warm winter jacket", {"a jacket", "a warm coat for the winter"}, deadline)));
    }
    if (pictures_) {
      CORE_CHECK(core::sync_wait(pictures_->encode_images({std::make_shared<const std::string>(kGreyPixel)}, deadline)));
      CORE_CHECK(core::sync_wait(pictures_->encode_texts({"warm winter jacket"}, deadline)));
    }
    if (generator_) {
      ports::GenerationRequest request;
      request.messages = {{ports::ChatMessage::Role::kUser, "Say yes."}};
      request.max_tokens = 1;
      CORE_CHECK(core::sync_wait(generator_->generate(std::move(request), deadline, {})));
    }
    return {};
  }

  [[nodiscard]] http::InferenceModels models() {
    return {.text = &*texts_,
            .pairs = pairs_ ? &*pairs_ : nullptr,
            .pictures = pictures_ ? &*pictures_ : nullptr,
            .generator = generator_.get()};
  }
  [[nodiscard]] const std::string& notice() const { return notice_; }
  [[nodiscard]] std::string names() {
    std::string all = text_->info().model + " " + text_->info().precision;
    if (pair_) all += ", " + pair_->info().model + " " + pair_->info().precision;
    if (picture_) all += ", " + picture_->info().model + " " + picture_->info().precision;
    if (generator_) all += ", " + generator_->info().model + " " + generator_->info().precision;
    return all;
  }
  void show_queues() {
    const telemetry::Gauge texts =
        metrics_.gauge({"scalestyle_inference_queue_tokens", "Tokens that wait, estimated.", {{"model", "text"}}});
    const telemetry::Gauge pairs =
        metrics_.gauge({"scalestyle_inference_queue_tokens", "Tokens that wait, estimated.", {{"model", "pair"}}});
    metrics_.on_render([this, texts, pairs] {
      texts.set(static_cast<double>(texts_->waiting_tokens()));
      pairs.set(pairs_ ? static_cast<double>(pairs_->waiting_tokens()) : 0.0);
    });
  }

 private:
  const core::Settings& settings_;
  Compute& compute_;
  core::TimerQueue& timers_;
  telemetry::Metrics& metrics_;
  std::string notice_;
  std::unique_ptr<ports::TextEncoder> text_;
  std::optional<embedded::BatchingTextEncoder> texts_;
  std::unique_ptr<ports::PairScorer> pair_;  // null where it is not served, as all below
  std::optional<embedded::QueuedPairScorer> pairs_;
  std::unique_ptr<ports::ImageEncoder> picture_;
  std::optional<embedded::QueuedImageEncoder> pictures_;
  std::unique_ptr<ports::TextGenerator> generator_;
};

core::Result<http::InferenceApi::Options> api_options(const core::Settings& settings, const http::ServerOptions& server) {
  http::InferenceApi::Options options;
  options.version = std::string(kVersion);
  CORE_TRY(options.pooling, text_pooling(settings));
  options.max_batch_tokens = static_cast<std::size_t>(settings.integer("inference_batch_tokens"));
  options.max_connections = server.max_connections;
  CORE_TRY(std::string prompt, model_query_prompt(settings));
  if (!prompt.empty()) options.routes.prompts.emplace_back("query", std::move(prompt));
  return options;
}

// Loads the models, then listens: /live answers while they are warmed, /ready once that is done.
class InferenceRun {
 public:
  explicit InferenceRun(const core::Settings& settings) : settings_(settings), started_(clock_.steady_now()), timers_(clock_) {}
  ~InferenceRun() { stop(); }
  InferenceRun(const InferenceRun&) = delete;
  InferenceRun& operator=(const InferenceRun&) = delete;

  core::Status run() {
    CORE_CHECK(check_device(settings_));
    CORE_CHECK(choose_kernels(settings_));
    CORE_TRY(const auto logging, log_options(settings_));
    CORE_TRY(auto options, server_options(settings_, kPort));
    options.max_large_bodies_bytes = kMaxLargeBodiesBytes;
    telemetry::Logger log(logging, clock_);
    CORE_TRY(access_, AccessStack::open(settings_, {.clock = clock_, .log = log}));
    compute_.emplace(compute_threads(settings_), settings_.boolean("compute_lanes"));
    ServedStack stack(settings_, *compute_, timers_, metrics_);
    timer_thread_ = std::thread([this] { timers_.run(); });
    const core::Status outcome = serve(stack, options, log);
    stop();  // the stack is used by the threads
    return outcome;
  }

 private:
  core::Status serve(ServedStack& stack, const http::ServerOptions& options, telemetry::Logger& log) {
    CORE_CHECK(stack.load());
    if (!stack.notice().empty()) log.warning(stack.notice());
    stack.show_queues();
    telemetry::show_resident_memory(metrics_);
    telemetry::show_process(metrics_, {.version = std::string(kVersion), .role = "inference"});
    show_pool(metrics_, *compute_);
    CORE_TRY(tracing_, TracingStack::open(settings_, "inference", {.clock = clock_, .metrics = metrics_, .log = log}));
    CORE_TRY(auto described, api_options(settings_, options));
    api_.emplace(http::InferenceApi::Dependencies{.models = stack.models(),
                                                  .pool = compute_->pool(),
                                                  .timers = timers_,
                                                  .clock = clock_,
                                                  .metrics = metrics_,
                                                  .log = log,
                                                  .access = &access_->control(metrics_),
                                                  .audit = &access_->audit()},
                 std::move(described));
    CORE_TRY(const auto server,
             http::Server::open(options, {.application = *api_, .clock = clock_, .metrics = metrics_, .log = log,
                                      .tracer = tracing_->tracer()}));
    server->drain_on_signals([&log](int number) { log.info("draining", {{"signal", number}}); });
    access_->follow(timers_, compute_->pool());
    std::thread io([&server] { server->run(); });
    const core::Status warm = stack.warm_up();
    if (warm) {
      api_->mark_warm();
      log.info("ready", {{"role", "inference"},
                         {"port", server->port()},
                         {"models", stack.names()},
                         {"seconds", std::chrono::duration<double>(clock_.steady_now() - started_).count()}});
    } else {
      server->begin_drain();
    }
    io.join();
    stop();
    log.info("stopped");
    return warm;
  }

  void stop() {
    if (access_) access_->stop();
    timers_.stop();
    if (timer_thread_.joinable()) timer_thread_.join();
    if (compute_) compute_->stop();
    if (tracing_) tracing_->stop();
  }

  const core::Settings& settings_;
  core::SystemClock clock_;
  const core::SteadyTime started_;
  telemetry::Metrics metrics_;
  std::unique_ptr<AccessStack> access_;
  core::TimerQueue timers_;
  std::unique_ptr<TracingStack> tracing_;
  std::optional<Compute> compute_;
  std::optional<http::InferenceApi> api_;
  std::thread timer_thread_;
};

int run_inference(const Invocation& invocation) {
  const auto status = InferenceRun(invocation.settings).run();
  return status ? kExitOk : report(status.error());
}

}  // namespace

Command inference_command() {
  return {.path = {"inference"},
          .help = "Serve models over HTTP: /embed, /rerank, /embed_image, /generate, /v1/…",
          .settings = with_key_settings(with_process_settings(
              with_vision_settings({"models", "model", "query_precision", "reranker", "rerank_precision", "generation_enabled",
                                    "generation_model", "generation_precision", "compute_threads", "compute_lanes", "isa", "inference_device",
                                    "inference_batch_tokens", "inference_queue_tokens"}))),
          .run = run_inference};
}

}  // namespace scalestyle::app
