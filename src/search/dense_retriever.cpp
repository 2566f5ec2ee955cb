#include "search/dense_retriever.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <optional>
#include <stop_token>
#include <unordered_map>
#include <utility>

#include "core/request_steps.hpp"
#include "search/changed_vectors.hpp"
#include "search/stage_spans.hpp"

namespace scalestyle::search {

// Shared by the request, the queue or batch that it is in, and its timer.
struct DenseRetriever::Waiter {
  explicit Waiter(DenseQuery wanted, core::SteadyTime now) : query(std::move(wanted)), arrived(now) {}

  // True for the one caller that may settle. It then calls slot.set().
  [[nodiscard]] bool claim() { return !claimed.exchange(true, std::memory_order_acq_rel); }
  [[nodiscard]] bool left() const { return claimed.load(std::memory_order_acquire); }

  [[nodiscard]] DenseFailure failure(core::Error error, core::SteadyTime now) const {
    const core::SteadyTime begun{core::SteadyTime::duration(search_begun.load(std::memory_order_acquire))};
    if (begun == core::SteadyTime{}) return {DenseStage::kEmbed, std::move(error), now - arrived, {}};
    return {DenseStage::kSearch, std::move(error), begun - arrived, now - begun};
  }

  DenseQuery query;
  core::SteadyTime arrived;
  std::atomic<core::SteadyTime::rep> search_begun{0};  // time since epoch; 0 while the query is being embedded
  std::atomic<bool> claimed{false};
  core::OneShot<DenseOutcome> slot;
};

DenseRetriever::DenseRetriever(Ports ports, Options options, telemetry::Metrics& metrics)
    : ports_(ports),
      options_(options),
      engine_(ports.index, metrics),
      batch_size_(metrics.histogram({"scalestyle_search_batch_queries", "Queries embedded and searched together."},
                                    {1, 2, 4, 8, 16, 32, 64, 128, 256})) {
  engine_.sampler = ports_.recall;
  options_.max_batch = std::clamp<std::size_t>(options_.max_batch, 1, 256);
  if (options_.max_leaders == 0) options_.max_leaders = std::max<std::size_t>(1, ports_.pool.threads());
}

DenseRetriever::~DenseRetriever() { assert(leaders_ == 0); }

core::Task<DenseOutcome> DenseRetriever::retrieve(DenseQuery query) {
  auto waiter = std::make_shared<Waiter>(std::move(query), ports_.clock.steady_now());
  const std::stop_token stop = co_await core::current_stop_token();
  if (auto queued = enqueue(waiter); !queued) {
    co_return std::unexpected(waiter->failure(std::move(queued).error(), waiter->arrived));
  }

  std::optional<core::TimerQueue::TimerId> timer;
  if (!waiter->query.deadline.is_never() && !waiter->left()) {
    timer = ports_.timers.schedule(waiter->query.deadline.time(), [waiter, this] {
      if (!waiter->claim()) return;
      const auto late = core::fail(core::ErrorCode::kDeadlineExceeded, "the deadline passed before the results were there");
      waiter->slot.set(std::unexpected(waiter->failure(late.error(), ports_.clock.steady_now())));
    });
  }
  // Resuming destroys the frame this callback lives in: it works on its own copy of the pointer.
  const auto on_stop = [&waiter, this] {
    const std::shared_ptr<Waiter> self = waiter;
    if (!self->claim()) return;
    const auto cancelled = core::fail(core::ErrorCode::kCancelled, "the caller went away");
    self->slot.set(std::unexpected(self->failure(cancelled.error(), ports_.clock.steady_now())));
  };
  const std::stop_callback stop_callback(stop, on_stop);

  DenseOutcome outcome = co_await waiter->slot;
  if (timer) ports_.timers.cancel(*timer);
  if (outcome) {
    const auto computed = outcome->embed + outcome->search;
    core::request_steps().add(core::RequestStep::kBatchBack, ports_.clock.steady_now() - waiter->arrived - computed);
  }
  co_return outcome;
}

core::Status DenseRetriever::enqueue(const std::shared_ptr<Waiter>& waiter) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= options_.max_waiting) {
      return core::fail(core::ErrorCode::kResourceExhausted, "too many queries wait to be embedded; try again later");
    }
    waiting_.push_back(waiter);
    if (leaders_ == options_.max_leaders) return {};
    ++leaders_;
  }
  // As a job of its own: a caller that is a worker must be free to leave at its deadline while the batch computes.
  const auto begin = [this] { core::start(lead(), [](core::Status&&) {}).detach(); };
  if (auto submitted = ports_.pool.submit(begin); !submitted) begin();  // it meets the same refusal and tells the waiters
  return {};
}

DenseRetriever::Batch DenseRetriever::take_batch() {
  Batch batch;
  Batch gone;  // freed outside the lock
  const std::lock_guard lock(mutex_);
  while (!waiting_.empty() && batch.size() < options_.max_batch) {
    auto& first = waiting_.front();
    const bool other_generation = !batch.empty() && batch.front()->query.generation != first->query.generation;
    if (other_generation && !first->left()) break;
    (first->left() ? gone : batch).push_back(std::move(first));
    waiting_.pop_front();
  }
  if (batch.empty()) --leaders_;
  return batch;
}

bool DenseRetriever::give_back_place_if_idle() {
  const std::lock_guard lock(mutex_);
  if (!waiting_.empty()) return false;
  --leaders_;
  return true;
}

core::Task<core::Status> DenseRetriever::lead() {
  while (true) {
    const Batch batch = take_batch();
    if (batch.empty()) co_return core::Status();
    batch_size_.observe(static_cast<double>(batch.size()));
    const core::SteadyTime taken = ports_.clock.steady_now();
    for (const auto& waiter : batch) core::request_steps().add(core::RequestStep::kBatchWait, taken - waiter->arrived);
    std::vector<DenseOutcome> outcomes = co_await run_batch(batch);

    const bool last_batch = give_back_place_if_idle();
    for (std::size_t i = last_batch ? 1 : 0; i < batch.size(); ++i) {
      if (!batch[i]->claim()) continue;
      auto outcome = std::make_shared<DenseOutcome>(std::move(outcomes[i]));
      const auto settle = [waiter = batch[i], outcome] { waiter->slot.set(std::move(*outcome)); };
      if (auto submitted = ports_.pool.submit(settle); !submitted) settle();  // a full or stopping pool: no other thread will
    }
    if (last_batch) {
      // From here on this object may be gone: the last continuation can end the program's use of it.
      if (batch.front()->claim()) batch.front()->slot.set(std::move(outcomes.front()));
      co_return core::Status();
    }
    // Behind the continuations just queued, so that answers go out before the next batch is computed.
    // Where that is refused (a full or stopping pool) this thread goes on: the queue is bounded and must be emptied.
    static_cast<void>(co_await ports_.pool.schedule(core::Deadline::never()));
  }
}

core::Task<std::vector<DenseOutcome>> DenseRetriever::run_batch(const Batch& batch) {
  core::Deadline deadline = batch.front()->query.deadline;
  for (const auto& waiter : batch) {
    if (waiter->query.deadline.time() > deadline.time()) deadline = waiter->query.deadline;
  }
  core::Result<std::vector<ports::VectorHits>> found = core::fail(core::ErrorCode::kInternal, "the batch did not end");
  try {
    found = co_await embed_and_search(batch, deadline);
  } catch (const std::exception& failure) {
    found = core::fail(core::ErrorCode::kInternal, fmt::format("dense search failed: {}", failure.what()));
  }

  const core::SteadyTime now = ports_.clock.steady_now();
  std::vector<DenseOutcome> outcomes;
  outcomes.reserve(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (!found) {
      outcomes.emplace_back(std::unexpected(batch[i]->failure(found.error(), now)));
      continue;
    }
    const core::SteadyTime begun{core::SteadyTime::duration(batch[i]->search_begun.load(std::memory_order_acquire))};
    outcomes.emplace_back(DenseHits{std::move((*found)[i]), begun - batch[i]->arrived, now - begun});
  }
  co_return outcomes;
}

// The context that the batch is computed in; null: nobody's.
const core::TaskContext* DenseRetriever::trace_together(const Batch& batch) {
  const auto leader = std::ranges::find_if(batch, [](const auto& waiter) { return waiter->query.context != nullptr; });
  if (leader == batch.end()) return nullptr;
  const core::TaskContext* const context = (*leader)->query.context.get();
  const std::shared_ptr<core::TaskContext> stage = context_of(context, Stage::kEmbed);
  for (auto other = leader + 1; other != batch.end(); ++other) link_stage((*other)->query.context.get(), Stage::kEmbed, stage.get());
  return context;
}

core::Task<core::Result<std::vector<ports::VectorHits>>> DenseRetriever::embed_and_search(const Batch& batch,
                                                                                         core::Deadline deadline) {
  std::vector<std::string> texts;
  std::vector<std::size_t> text_of(batch.size());
  std::unordered_map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto [place, is_new] = seen.try_emplace(batch[i]->query.text, texts.size());
    text_of[i] = place->second;
    if (is_new) texts.push_back(batch[i]->query.text);
  }
  const std::size_t distinct = texts.size();
  const core::TaskContext* const context = trace_together(batch);
  auto embedding = in_stage(context, Stage::kEmbed, ports_.encoder.encode(std::move(texts), deadline));
  CORE_CO_TRY(const ports::EmbeddingBatch embedded, co_await std::move(embedding));
  const std::size_t dimension = embedded.dimension;
  if (embedded.values.size() != distinct * dimension) {
    co_return core::fail(core::ErrorCode::kInternal,
                         fmt::format("the encoder gave {} values for {} texts of {} dimensions", embedded.values.size(),
                                     distinct, dimension));
  }

  const core::SteadyTime now = ports_.clock.steady_now();
  std::vector<ports::VectorQuery> queries(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    Waiter& waiter = *batch[i];
    waiter.search_begun.store(now.time_since_epoch().count(), std::memory_order_release);
    const auto row = embedded.values.begin() + static_cast<std::ptrdiff_t>(text_of[i] * dimension);
    queries[i].vector.assign(row, row + static_cast<std::ptrdiff_t>(dimension));
    queries[i].k = waiter.query.k;
    queries[i].filter = ingested_filter(waiter.query.generation->version(), waiter.query.filter);
    queries[i].eligible = waiter.query.eligible;
  }
  const ServingGeneration& generation = *batch.front()->query.generation;
  ShownHit shown = shown_hits(generation, queries);
  // Not awaited inside the choice: GCC 12 would destroy the result twice.
  auto search = generation.changed_vectors() == nullptr
                    ? search_eligible(engine_, generation.info().id, std::move(queries), std::move(shown), deadline)
                    : search_changed(engine_, generation, std::move(queries), deadline);
  search = in_stage(context, Stage::kRetrieve, std::move(search));
  auto found = co_await std::move(search);
  if (found && found->size() != batch.size()) {
    co_return core::fail(core::ErrorCode::kInternal,
                         fmt::format("the vector index gave {} results for {} queries", found->size(), batch.size()));
  }
  co_return found;
}

}  // namespace scalestyle::search
