#include "inference_stack.hpp"

#include <array>
#include <chrono>
#include <memory>
#include <stop_token>
#include <utility>

#include "adapters/remote_inference/server_address.hpp"
#include "runtime.hpp"

namespace scalestyle::app {

namespace remote = adapters::remote_inference;

namespace {

constexpr std::chrono::seconds kFirstWait{2};
constexpr std::chrono::milliseconds kLookInterval{1'000};
constexpr std::chrono::seconds kConnectDeadline{5};
constexpr std::size_t kMaxRequests = 1'024;  // under way at once
constexpr const char* kKeyVariable = "INFERENCE_API_KEY";

core::Result<remote::ModelServers> servers_of(const core::Settings& settings, const char* setting) {
  remote::ModelServers servers;
  CORE_TRY(servers.urls, remote::parse_server_addresses(settings.text(setting), setting));
  CORE_TRY(servers.api_key, remote::key_from_environment(kKeyVariable));
  return servers;
}

// What a task that is started now gives, once it ends.
template <class T>
std::shared_future<core::Result<T>> answer_of(core::Task<core::Result<T>> task) {
  auto promise = std::make_shared<std::promise<core::Result<T>>>();
  std::shared_future<core::Result<T>> answer = promise->get_future().share();
  core::start(std::move(task), [promise](core::Result<T>&& told) { promise->set_value(std::move(told)); }).detach();
  return answer;
}

std::string name_of(const std::string& model) {
  const auto end = model.find_last_not_of('/');
  const std::string trimmed = model.substr(0, end == std::string::npos ? 0 : end + 1);
  const auto slash = trimmed.rfind('/');
  return slash == std::string::npos ? trimmed : trimmed.substr(slash + 1);
}

}  // namespace

std::vector<std::string> with_inference_settings(std::vector<std::string> names) {
  constexpr std::array kNames{"inference_url", "inference_api", "inference_model", "rerank_url", "vision_url"};
  names.insert(names.end(), kNames.begin(), kNames.end());
  return names;
}

core::Result<std::unique_ptr<InferenceStack>> InferenceStack::open(const core::Settings& settings, Dependencies dependencies) {
  std::unique_ptr<InferenceStack> stack(new InferenceStack(settings, dependencies));
  CORE_TRY(stack->api_, remote::parse_inference_api(settings.text("inference_api")));
  if (settings.is_set("inference_url")) {
    CORE_TRY(stack->texts_, servers_of(settings, "inference_url"));
    if (stack->api_ == remote::InferenceApiKind::kTei) stack->pairs_ = stack->pictures_ = stack->texts_;
  }
  if (settings.is_set("rerank_url")) {
    CORE_TRY(stack->pairs_, servers_of(settings, "rerank_url"));
  }
  if (settings.is_set("vision_url")) {
    CORE_TRY(stack->pictures_, servers_of(settings, "vision_url"));
  }
  if (!stack->has_texts() && !stack->has_pairs() && !stack->has_pictures()) return stack;
  adapters::HttpClientCurl::Options options;
  options.max_requests = kMaxRequests;
  options.connect_timeout = std::chrono::seconds(2);
  CORE_TRY(stack->http_, adapters::HttpClientCurl::create(options, dependencies.clock));
  stack->io_ = std::jthread([http = stack->http_.get()](const std::stop_token& stop) { http->run(stop); });
  CORE_CHECK(stack->ask_all());
  return stack;
}

remote::ModelClient::Dependencies InferenceStack::client() const {
  return {.http = *http_, .clock = use_.clock, .metrics = &use_.metrics, .log = use_.log};
}

core::Result<remote::HttpTextEncoder::Options> InferenceStack::text_options(const std::string& precision) const {
  remote::HttpTextEncoder::Options options{.servers = texts_, .api = api_};
  CORE_TRY(options.expected, text_model_info(settings_, precision));
  options.server_model = settings_.text("inference_model");
  return options;
}

remote::HttpPairScorer::Options InferenceStack::pair_options() const {
  remote::HttpPairScorer::Options options{.servers = pairs_};
  options.expected = {.model = name_of(settings_.text("reranker")), .weights_hash = {}, .precision = {}, .activation = "sigmoid",
                      .max_tokens = 0};
  return options;
}

// All at once: servers that do not answer cost a start one wait, however many they are.
core::Status InferenceStack::ask_all() {
  const core::Deadline deadline = core::Deadline::after(kFirstWait, use_.clock);
  if (has_texts()) {
    CORE_TRY(auto options, text_options(settings_.text("query_precision")));
    told_of_texts_ = answer_of(remote::HttpTextEncoder::ask(std::move(options), client(), deadline));
  }
  if (has_pairs()) told_of_pairs_ = answer_of(remote::HttpPairScorer::ask(pair_options(), client(), deadline));
  if (has_pictures() && settings_.boolean("vision_enabled")) {
    told_of_pictures_ = answer_of(remote::HttpImageEncoder::ask({.servers = pictures_}, client(), deadline));
  }
  return {};
}

core::Result<std::unique_ptr<remote::HttpTextEncoder>> InferenceStack::text_encoder(
    const std::string& precision, const std::optional<ports::EncoderInfo>& generation) {
  CORE_TRY(auto options, text_options(precision));
  const auto& told = told_of_texts_.get();
  ports::EncoderInfo& expected = options.expected;
  if (told && remote::is_model(told->model, expected.model, options.server_model)) {
    expected.weights_hash = told->weights_hash;
    if (!told->precision.empty()) expected.precision = told->precision;
  }
  if (expected.weights_hash.empty() && generation && generation->model == expected.model) {
    expected.weights_hash = generation->weights_hash;
  }
  CORE_TRY(auto encoder, remote::HttpTextEncoder::create(std::move(options), client()));
  keep_watch("inference", *encoder);
  return encoder;
}

core::Result<std::unique_ptr<remote::HttpTextEncoder>> InferenceStack::document_encoder(const ports::EncoderInfo& documents) {
  remote::HttpTextEncoder::Options options{.servers = texts_, .api = api_, .expected = documents};
  options.server_model = settings_.text("inference_model");
  options.exact_precision = true;
  return remote::HttpTextEncoder::create(std::move(options), client());
}

core::Result<std::unique_ptr<remote::HttpPairScorer>> InferenceStack::pair_scorer() {
  remote::HttpPairScorer::Options options = pair_options();
  const std::string model = options.expected.model;
  const auto& told = told_of_pairs_.get();
  const bool has_none = !told && told.error().code == core::ErrorCode::kFailedPrecondition;
  if (has_none && settings_.is_default("reranker") && !settings_.is_set("rerank_url")) return nullptr;
  if (told && remote::is_model(told->model, model, {})) options.expected = *told;
  options.expected.model = model;
  CORE_TRY(auto scorer, remote::HttpPairScorer::create(std::move(options), client()));
  keep_watch("reranking", *scorer);
  return scorer;
}

core::Result<std::unique_ptr<remote::HttpImageEncoder>> InferenceStack::image_encoder(
    const std::optional<ports::EncoderInfo>& generation) {
  remote::HttpImageEncoder::Options options{.servers = pictures_};
  const std::string model = name_of(settings_.text("vision_model"));
  const auto& told = told_of_pictures_.get();
  if (told && told->model == model) {
    options.expected = *told;
  } else if (generation && generation->model == model) {
    options.expected = *generation;
  } else {
    std::string why = told ? "the server has the vision model " + told->model + ", wanted is " + model : told.error().message;
    return core::fail(core::ErrorCode::kUnavailable, "which vectors " + model + " gives is not known without its server: " + why,
                      "vision_url");
  }
  CORE_TRY(auto encoder, remote::HttpImageEncoder::create(std::move(options), client()));
  keep_watch("vision", *encoder);
  return encoder;
}

void InferenceStack::watch() {
  if (!watched_.empty()) look();
}

void InferenceStack::look() {
  for (Watched& watched : watched_) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      if (std::exchange(watched.is_running, true)) continue;
    }
    // Ends by its deadline, or by stop(), which ends the requests that it waits for.
    const auto ended = [this, &watched](core::Status&&) {
      const std::lock_guard lock(mutex_);
      watched.is_running = false;
    };
    core::start(watched.connect(core::Deadline::after(kConnectDeadline, use_.clock)), ended).detach();
  }
  arm();
}

void InferenceStack::arm() {
  const std::lock_guard lock(mutex_);
  if (stopping_) return;
  use_.timers.schedule(use_.clock.steady_now() + kLookInterval, [this] { look(); });
}

void InferenceStack::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  io_ = {};
}

std::vector<http::DependencyState> InferenceStack::states() const {
  std::vector<http::DependencyState> all;
  for (const Watched& watched : watched_) {
    all.push_back({watched.name, "http", watched.endpoints->any_serving() ? std::string() : watched.endpoints->trouble()});
  }
  return all;
}

}  // namespace scalestyle::app
