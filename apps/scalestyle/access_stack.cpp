#include "access_stack.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "core/files.hpp"
#include "http/listen_address.hpp"

namespace scalestyle::app {

namespace {

constexpr auto kFollowInterval = std::chrono::milliseconds(250);
constexpr std::size_t kLargestSecretFile = 4'096;

// What may be reached from elsewhere is not left open by an oversight.
core::Status check_address(const core::Settings& settings, telemetry::Logger& log) {
  const std::string& host = settings.text("host");
  if (settings.is_set("keys_file")) return {};
  if (http::is_loopback_address(host)) {
    log.info("no API keys: whoever reaches this address may do everything", {{"host", host}});
    return {};
  }
  if (settings.boolean("insecure")) {
    log.warning("no API keys on an address that others can reach: they may do everything", {{"host", host}});
    return {};
  }
  return core::fail(core::ErrorCode::kInvalidArgument,
                    fmt::format("{} can be reached by others, and there are no API keys: make one with `scalestyle keys create --file F` "
                                "and give --keys-file F, or say --insecure where something else keeps strangers away",
                                host),
                    "keys_file");
}

}  // namespace

std::vector<std::string> with_key_settings(std::vector<std::string> names) {
  for (const char* name : {"keys_file", "insecure", "behind_tls"}) names.emplace_back(name);
  return names;
}

std::vector<std::string> with_access_settings(std::vector<std::string> names) {
  for (const char* name : {"user_token_secret", "user_token_secret_file", "session_cookie_days", "cors_origins", "log_queries", "log_user_key"}) {
    names.emplace_back(name);
  }
  return with_key_settings(std::move(names));
}

core::Result<std::vector<std::string>> user_token_secrets(const core::Settings& settings) {
  const bool by_file = settings.is_set("user_token_secret_file");
  if (settings.is_set("user_token_secret")) {
    if (by_file) {
      return core::fail(core::ErrorCode::kInvalidArgument, "user_token_secret and user_token_secret_file are both set: one is enough",
                        "user_token_secret_file");
    }
    return http::parse_token_secrets(settings.text("user_token_secret"), "user_token_secret");
  }
  if (!by_file) return std::vector<std::string>();
  CORE_TRY(const std::string text, core::read_text_file(settings.text("user_token_secret_file"), kLargestSecretFile));
  return http::parse_token_secrets(text, "user_token_secret_file");
}

core::Result<std::unique_ptr<AccessStack>> AccessStack::open(const core::Settings& settings, Parts parts) {
  CORE_CHECK(check_address(settings, parts.log));
  std::unique_ptr<AccessStack> stack(new AccessStack(parts, settings.text("log_user_key")));
  if (settings.is_set("keys_file")) {
    CORE_TRY(stack->keys_, http::KeyFile::open(settings.text("keys_file")));
    parts.log.info("API keys are in force", {{"keys", stack->keys_->current()->keys().size()}});
  }
  http::AccessControl::Options& options = stack->options_;
  CORE_TRY(options.token_secrets, user_token_secrets(settings));
  CORE_TRY(options.origins, http::CrossOrigin::parse(settings.text("cors_origins")));
  options.session_lifetime = std::chrono::days(settings.integer("session_cookie_days"));
  options.behind_tls = settings.boolean("behind_tls") || !settings.text("tls_certificate").empty();
  return stack;
}

const http::AccessControl& AccessStack::control(telemetry::Metrics& metrics) {
  if (control_ == nullptr) {
    control_ = std::make_unique<http::AccessControl>(
        http::AccessControl::Dependencies{.keys = keys_.get(), .clock = use_.clock, .metrics = metrics}, options_);
  }
  return *control_;
}

void AccessStack::follow(core::TimerQueue& timers, core::WorkerPool& pool) {
  if (keys_ == nullptr) return;
  follower_.emplace(http::KeyFollower::Dependencies{.file = *keys_, .timers = timers, .pool = pool, .clock = use_.clock, .log = use_.log},
                    kFollowInterval);
  follower_->start();
}

void AccessStack::stop() {
  if (follower_) follower_->stop();
}

}  // namespace scalestyle::app
