#include "adapters/embedded/queued_models.hpp"

#include <utility>

#include "adapters/embedded/batching_text_encoder.hpp"

namespace scalestyle::adapters::embedded {

namespace {

telemetry::Counter refusals(telemetry::Metrics& metrics, const char* model) {
  return metrics.counter({"scalestyle_inference_refused_total", "Calls refused because the queue was full.", {{"model", model}}});
}

}  // namespace

QueuedPairScorer::QueuedPairScorer(ports::PairScorer& scorer, Options options, core::WorkerPool& pool, const core::Clock& clock,
                                   telemetry::Metrics& metrics)
    : scorer_(scorer),
      clock_(clock),
      turns_({.turns = options.running, .max_waiting = options.queue_tokens}, pool, clock),
      refused_(refusals(metrics, "pair")) {}

core::Task<core::Result<ports::PairScores>> QueuedPairScorer::score(std::string query, std::vector<std::string> texts, core::Deadline deadline) {
  if (texts.empty() || deadline.expired(clock_)) co_return ports::PairScores();
  std::size_t tokens = 0;
  for (const std::string& text : texts) tokens += estimated_tokens(query.size() + text.size(), info().max_tokens);
  turns_.end_overdue();
  core::Result<TurnQueue::Turn> turn = co_await turns_.take(deadline, tokens);
  if (!turn) {
    if (turn.error().code == core::ErrorCode::kDeadlineExceeded) co_return ports::PairScores();
    if (turn.error().code == core::ErrorCode::kResourceExhausted) refused_.add();
    co_return std::unexpected(std::move(turn).error());
  }
  if (deadline.expired(clock_)) co_return ports::PairScores();
  core::Result<ports::PairScores> scores = co_await scorer_.score(std::move(query), std::move(texts), deadline);
  co_return scores;
}

QueuedImageEncoder::QueuedImageEncoder(ports::ImageEncoder& encoder, Options options, core::WorkerPool& pool, const core::Clock& clock,
                                       telemetry::Metrics& metrics)
    : encoder_(encoder),
      turns_({.turns = options.running, .max_waiting = options.queue_items}, pool, clock),
      refused_(refusals(metrics, "picture")) {}

core::Task<core::Result<TurnQueue::Turn>> QueuedImageEncoder::turn(core::Deadline deadline, std::size_t items) {
  turns_.end_overdue();
  core::Result<TurnQueue::Turn> turn = co_await turns_.take(deadline, items);
  if (!turn && turn.error().code == core::ErrorCode::kResourceExhausted) refused_.add();
  co_return turn;
}

core::Task<core::Result<std::vector<core::Result<std::vector<float>>>>> QueuedImageEncoder::encode_images(
    std::vector<ports::EncodedImage> images, core::Deadline deadline) {
  CORE_CO_TRY([[maybe_unused]] const TurnQueue::Turn held, co_await turn(deadline, images.size()));
  core::Result<std::vector<core::Result<std::vector<float>>>> vectors = co_await encoder_.encode_images(std::move(images), deadline);
  co_return vectors;
}

core::Task<core::Result<ports::EmbeddingBatch>> QueuedImageEncoder::encode_texts(std::vector<std::string> texts, core::Deadline deadline) {
  CORE_CO_TRY([[maybe_unused]] const TurnQueue::Turn held, co_await turn(deadline, texts.size()));
  core::Result<ports::EmbeddingBatch> vectors = co_await encoder_.encode_texts(std::move(texts), deadline);
  co_return vectors;
}

}  // namespace scalestyle::adapters::embedded
