#include "search/reason_service.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/hash.hpp"
#include "search/in_time.hpp"
#include "search/reason_cleaner.hpp"

namespace scalestyle::search {

struct ReasonService::Counters {
  telemetry::Counter written;
  telemetry::Counter cached;
  telemetry::Counter refused;
  telemetry::Counter late;
  telemetry::Counter failed;
  telemetry::Counter tokens;

  explicit Counters(telemetry::Metrics& metrics) {
    const auto of = [&](const char* outcome) {
      return metrics.counter(
          {"scalestyle_llm_reasons_total", "Reasons asked of the language model, by outcome.", {{"outcome", outcome}}});
    };
    written = of("written");
    cached = of("cached");
    refused = of("refused");
    late = of("late");
    failed = of("failed");
    tokens = metrics.counter({"scalestyle_llm_reason_tokens_total", "Tokens that the language model made for reasons."});
  }

  void count(const core::Result<WrittenReason>& outcome) const {
    if (!outcome) {
      // Who goes away decides nothing about the model.
      if (outcome.error().code == core::ErrorCode::kCancelled) return;
      (outcome.error().code == core::ErrorCode::kDeadlineExceeded ? late : failed).add();
      return;
    }
    tokens.add(static_cast<double>(outcome->tokens));
    (outcome->text.empty() ? refused : written).add();
  }
};

// What hears the generator. It may speak on after nobody waits for it any more: then it is told to stop.
struct ReasonService::Hearing {
  Hearing(std::string_view evidence, Listener to) : cleaner(evidence), listener(std::move(to)) {}

  bool hear(std::string_view piece) {
    const std::lock_guard lock(mutex);
    if (is_over) return false;
    ++pieces;
    const std::string part = cleaner.push(piece);
    if (!part.empty() && listener && !listener(part)) {
      listener_left = true;
      return false;
    }
    return !cleaner.wants_no_more();
  }

  std::mutex mutex;
  ReasonCleaner cleaner;  // guarded by mutex, as all below
  Listener listener;
  std::size_t pieces = 0;
  bool listener_left = false;
  bool is_over = false;
};

core::Status ReasonOptions::validate() const {
  const auto wrong = [](std::string message, const char* setting) {
    return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), setting);
  };
  if (max_tokens < 1 || max_tokens > kMaxReasonTokens) {
    return wrong(fmt::format("generation_max_tokens must be 1 to {}, not {}", kMaxReasonTokens, max_tokens),
                 "generation_max_tokens");
  }
  if (!(temperature >= 0 && temperature <= 2)) {
    return wrong(fmt::format("generation_temperature must be 0 to 2, not {}", temperature), "generation_temperature");
  }
  if (!(top_p > 0 && top_p <= 1)) {
    return wrong(fmt::format("generation_top_p must be above 0 and at most 1, not {}", top_p), "generation_top_p");
  }
  if (budget < std::chrono::milliseconds(1) || budget > std::chrono::seconds(60)) {
    return wrong(fmt::format("generation_budget_ms must be 1 to 60000, not {}", budget.count()), "generation_budget_ms");
  }
  if (cache_entries > 1'000'000) return wrong("so many reasons cannot be kept", "cache_entries");
  return {};
}

ReasonService::ReasonService(ports::TextGenerator& generator, core::TimerQueue& timers, telemetry::Metrics& metrics,
                             ReasonOptions options)
    : generator_(generator), timers_(timers), options_(options), counters_(std::make_unique<const Counters>(metrics)) {}

ReasonService::~ReasonService() = default;

core::Task<core::Result<WrittenReason>> ReasonService::write(ReasonPrompt prompt, std::size_t max_tokens, core::Deadline deadline,
                                                             Listener listener) {
  std::string key = key_of(prompt, max_tokens);
  if (auto kept = find(key)) {
    counters_->cached.add();
    if (listener && !listener(*kept)) co_return core::fail(core::ErrorCode::kCancelled, "the reason is no longer wanted");
    WrittenReason reason;
    reason.text = std::move(*kept);
    reason.cached = true;
    co_return reason;
  }
  core::Result<WrittenReason> written = co_await generate(std::move(prompt), max_tokens, deadline, std::move(listener));
  counters_->count(written);
  if (written && !written->text.empty()) keep(std::move(key), written->text);
  co_return written;
}

core::Task<core::Result<WrittenReason>> ReasonService::generate(ReasonPrompt prompt, std::size_t max_tokens,
                                                                core::Deadline deadline, Listener listener) {
  const auto hearing = std::make_shared<Hearing>(prompt.evidence, std::move(listener));
  ports::GenerationRequest request;
  request.messages = std::move(prompt.messages);
  request.max_tokens = max_tokens;
  request.temperature = static_cast<float>(options_.temperature);
  request.top_p = static_cast<float>(options_.top_p);
  request.seed = options_.seed;
  auto generation = generator_.generate(std::move(request), deadline,
                                        [hearing](std::string_view piece) { return hearing->hear(piece); });
  const core::Result<ports::GeneratedText> made = co_await result_in_time(std::move(generation), timers_, deadline);

  const std::lock_guard lock(hearing->mutex);
  hearing->is_over = true;
  ReasonCleaner& cleaner = hearing->cleaner;
  WrittenReason reason;
  bool is_whole = true;
  if (made) {
    if (made->stopped == ports::StopCause::kDeadline) {
      co_return core::fail(core::ErrorCode::kDeadlineExceeded, "the language model was not done within the deadline");
    }
    reason.prompt_tokens = made->prompt_tokens;
    reason.tokens = made->tokens;
    is_whole = made->stopped == ports::StopCause::kEnd;
  } else {
    const bool was_stopped = made.error().code == core::ErrorCode::kCancelled;
    const bool heard_enough = was_stopped && cleaner.wants_no_more() && !hearing->listener_left;
    if (!heard_enough) co_return std::unexpected(made.error());
    reason.tokens = hearing->pieces;
  }
  const std::string rest = cleaner.finish(is_whole);
  reason.refusal = cleaner.refusal();
  if (!reason.refusal.empty()) co_return reason;
  if (!rest.empty() && hearing->listener && !hearing->listener(rest)) {
    co_return core::fail(core::ErrorCode::kCancelled, "the reason is no longer wanted");
  }
  reason.text = cleaner.text();
  co_return reason;
}

std::string ReasonService::key_of(const ReasonPrompt& prompt, std::size_t max_tokens) const {
  // Lengths before texts: no two inputs make the same bytes.
  const ports::GeneratorInfo& model = generator_.info();
  std::string bytes = fmt::format("{}:{}{}:{}{}:{}{}:{}:{}:{}", model.model.size(), model.model, model.weights_hash.size(),
                                  model.weights_hash, model.precision.size(), model.precision, max_tokens, options_.temperature,
                                  options_.top_p, options_.seed);
  for (const ports::ChatMessage& message : prompt.messages) {
    bytes += fmt::format("|{}:{}:{}", static_cast<int>(message.role), message.text.size(), message.text);
  }
  return core::sha256_hex(bytes);
}

std::optional<std::string> ReasonService::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(key);
  if (found == places_.end()) return std::nullopt;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->text;
}

void ReasonService::keep(std::string key, std::string text) {
  if (options_.cache_entries == 0) return;
  const std::lock_guard lock(mutex_);
  if (places_.contains(key)) return;
  entries_.push_front({std::move(key), std::move(text)});
  places_.emplace(entries_.front().key, entries_.begin());
  if (entries_.size() <= options_.cache_entries) return;
  places_.erase(entries_.back().key);
  entries_.pop_back();
}

}  // namespace scalestyle::search
