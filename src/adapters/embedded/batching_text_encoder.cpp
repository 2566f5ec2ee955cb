#include "adapters/embedded/batching_text_encoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <optional>
#include <stop_token>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "text/unicode.hpp"

namespace scalestyle::adapters::embedded {

namespace {

constexpr std::size_t kBytesPerToken = 4;  // of English text, blanks included
constexpr std::size_t kControlTokens = 2;

// Each distinct text of a batch once, and which of them every text is.
struct DistinctTexts {
  std::vector<std::string> texts;
  std::vector<std::size_t> place_of;

  void add(const std::string& text) {
    const auto [place, is_new] = seen_.try_emplace(text, texts.size());
    if (is_new) texts.push_back(text);
    place_of.push_back(place->second);
  }

 private:
  std::unordered_map<std::string_view, std::size_t> seen_;  // into the calls' own texts
};

}  // namespace

std::size_t estimated_tokens(std::size_t bytes, std::size_t max_tokens) {
  return std::min(kControlTokens + bytes / kBytesPerToken, max_tokens);
}

// Shared by the caller, the queue or batch that it is in, and its timer.
struct BatchingTextEncoder::Call {
  Call(std::vector<std::string> wanted, core::Deadline until, std::size_t of_tokens)
      : texts(std::move(wanted)), deadline(until), tokens(of_tokens) {}

  // True for the one that may settle; it then calls slot.set().
  [[nodiscard]] bool claim() { return !claimed.exchange(true, std::memory_order_acq_rel); }
  [[nodiscard]] bool left() const { return claimed.load(std::memory_order_acquire); }
  void end(core::ErrorCode code, const char* why) {
    if (claim()) slot.set(core::fail(code, why));
  }

  const std::vector<std::string> texts;
  const core::Deadline deadline;
  const std::size_t tokens;
  std::atomic<bool> claimed{false};
  core::OneShot<Outcome> slot;
};

BatchingTextEncoder::BatchingTextEncoder(Dependencies dependencies, Options options)
    : use_(dependencies),
      options_(options),
      batch_tokens_(use_.metrics.histogram({"scalestyle_inference_batch_tokens", "Tokens embedded together, estimated."},
                                           {16, 64, 256, 1'024, 4'096, 16'384, 65'536})),
      batch_calls_(use_.metrics.histogram({"scalestyle_inference_batch_calls", "Calls embedded together."},
                                          {1, 2, 4, 8, 16, 32, 64, 128, 256})),
      refused_(use_.metrics.counter({"scalestyle_inference_refused_total", "Calls refused because the queue was full.", {{"model", "text"}}})),
      dropped_(use_.metrics.counter({"scalestyle_inference_dropped_total",
                                     "Calls that were not computed, as their client was gone or their deadline over."})) {
  options_.batch_tokens = std::max<std::size_t>(options_.batch_tokens, 1);
  if (options_.max_leaders == 0) options_.max_leaders = std::max<std::size_t>(use_.pool.threads(), 1);
}

BatchingTextEncoder::~BatchingTextEncoder() { assert(leaders_ == 0); }

std::size_t BatchingTextEncoder::waiting_tokens() const {
  const std::lock_guard lock(mutex_);
  return waiting_tokens_;
}

core::Task<core::Result<ports::EmbeddingBatch>> BatchingTextEncoder::encode(std::vector<std::string> texts, core::Deadline deadline) {
  if (texts.empty()) co_return ports::EmbeddingBatch{.dimension = info().dimension, .values = {}, .tokens = 0};
  std::size_t tokens = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    // Checked here: a fault of one caller must not fail its batch.
    if (!text::is_valid_utf8(texts[i])) {
      co_return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("text {} of the batch is not UTF-8", i));
    }
    tokens += estimated_tokens(texts[i].size(), info().max_tokens);
  }
  if (deadline.expired(use_.clock)) co_return core::fail(core::ErrorCode::kDeadlineExceeded, "the deadline passed before the texts were embedded");
  const auto call = std::make_shared<Call>(std::move(texts), deadline, tokens);
  const std::stop_token stop = co_await core::current_stop_token();
  CORE_CO_CHECK(enqueue(call));

  std::optional<core::TimerQueue::TimerId> timer;
  if (!deadline.is_never() && !call->left()) {
    timer = use_.timers.schedule(deadline.time(), [call] {
      call->end(core::ErrorCode::kDeadlineExceeded, "the deadline passed before the texts were embedded");
    });
  }
  // Resuming destroys the frame this callback lives in: it works on its own copy of the pointer.
  const auto on_stop = [&call] {
    const std::shared_ptr<Call> self = call;
    self->end(core::ErrorCode::kCancelled, "the caller went away");
  };
  const std::stop_callback stop_callback(stop, on_stop);
  Outcome outcome = co_await call->slot;
  if (timer) use_.timers.cancel(*timer);
  co_return outcome;
}

core::Status BatchingTextEncoder::enqueue(const std::shared_ptr<Call>& call) {
  {
    const std::lock_guard lock(mutex_);
    if (!waiting_.empty() && waiting_tokens_ + call->tokens > options_.queue_tokens) {
      refused_.add();
      return core::fail(core::ErrorCode::kResourceExhausted,
                        fmt::format("{} tokens wait to be embedded; try again later", waiting_tokens_));
    }
    waiting_.push_back(call);
    waiting_tokens_ += call->tokens;
    if (leaders_ == options_.max_leaders) return {};
    ++leaders_;
  }
  const auto begin = [this] { core::start(lead(), [](core::Status&&) {}).detach(); };
  if (auto submitted = use_.pool.submit(begin); !submitted) begin();  // it meets the same refusal and tells the callers
  return {};
}

BatchingTextEncoder::Batch BatchingTextEncoder::take_batch() {
  Batch batch;
  Batch gone;  // freed outside the lock
  std::size_t tokens = 0;
  {
    const std::lock_guard lock(mutex_);
    while (!waiting_.empty()) {
      auto& first = waiting_.front();
      const bool left = first->left();
      if (!left && !batch.empty() && tokens + first->tokens > options_.batch_tokens) break;
      waiting_tokens_ -= first->tokens;
      if (!left) tokens += first->tokens;
      (left ? gone : batch).push_back(std::move(first));
      waiting_.pop_front();
    }
    if (batch.empty()) --leaders_;
  }
  dropped_.add(static_cast<double>(gone.size()));
  if (!batch.empty()) {
    batch_tokens_.observe(static_cast<double>(tokens));
    batch_calls_.observe(static_cast<double>(batch.size()));
  }
  return batch;
}

bool BatchingTextEncoder::give_back_place_if_idle() {
  const std::lock_guard lock(mutex_);
  if (!waiting_.empty()) return false;
  --leaders_;
  return true;
}

core::Task<core::Status> BatchingTextEncoder::lead() {
  while (true) {
    const Batch batch = take_batch();
    if (batch.empty()) co_return core::Status();
    std::vector<Outcome> outcomes = co_await run(batch);
    const bool last_batch = give_back_place_if_idle();
    for (std::size_t i = last_batch ? 1 : 0; i < batch.size(); ++i) {
      if (!batch[i]->claim()) continue;
      auto outcome = std::make_shared<Outcome>(std::move(outcomes[i]));
      const auto settle = [call = batch[i], outcome] { call->slot.set(std::move(*outcome)); };
      if (auto submitted = use_.pool.submit(settle); !submitted) settle();  // a full or stopping pool: no other thread will
    }
    if (last_batch) {
      // From here on this object may be gone: the last caller can end the program's use of it.
      if (batch.front()->claim()) batch.front()->slot.set(std::move(outcomes.front()));
      co_return core::Status();
    }
    // Behind the callers just queued, so that answers go out before the next batch is computed. Where that is refused this thread
    // goes on: the queue is bounded and must be emptied.
    static_cast<void>(co_await use_.pool.schedule(core::Deadline::never()));
  }
}

core::Task<std::vector<core::Result<ports::EmbeddingBatch>>> BatchingTextEncoder::run(const Batch& batch) {
  core::Deadline deadline = batch.front()->deadline;
  DistinctTexts distinct;
  for (const auto& call : batch) {
    if (call->deadline.time() > deadline.time()) deadline = call->deadline;
    for (const std::string& text : call->texts) distinct.add(text);
  }
  const std::size_t count = distinct.texts.size();
  Outcome embedded = core::fail(core::ErrorCode::kInternal, "the batch did not end");
  try {
    embedded = co_await use_.encoder.encode(std::move(distinct.texts), deadline);
  } catch (const std::exception& failure) {
    embedded = core::fail(core::ErrorCode::kInternal, fmt::format("embedding failed: {}", failure.what()));
  }
  const std::size_t dimension = info().dimension;
  if (embedded && (embedded->dimension != dimension || embedded->values.size() != count * dimension)) {
    embedded = core::fail(core::ErrorCode::kInternal, fmt::format("the encoder gave {} values for {} texts of {} dimensions",
                                                                  embedded->values.size(), count, dimension));
  }
  std::size_t all_tokens = 0;
  for (const auto& call : batch) all_tokens += call->tokens;
  std::vector<Outcome> outcomes;
  outcomes.reserve(batch.size());
  std::size_t next = 0;
  for (const auto& call : batch) {
    if (!embedded) {
      outcomes.emplace_back(std::unexpected(embedded.error()));
      continue;
    }
    // A call alone hears exactly what was computed; others their share of it.
    ports::EmbeddingBatch part{.dimension = dimension, .values = {}, .tokens = embedded->tokens};
    if (batch.size() > 1) part.tokens = std::max<std::size_t>(embedded->tokens * call->tokens / std::max<std::size_t>(all_tokens, 1), 1);
    part.values.reserve(call->texts.size() * dimension);
    for (std::size_t i = 0; i < call->texts.size(); ++i, ++next) {
      const auto row = embedded->values.begin() + static_cast<std::ptrdiff_t>(distinct.place_of[next] * dimension);
      part.values.insert(part.values.end(), row, row + static_cast<std::ptrdiff_t>(dimension));
    }
    outcomes.emplace_back(std::move(part));
  }
  co_return outcomes;
}

}  // namespace scalestyle::adapters::embedded
