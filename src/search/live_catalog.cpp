// What callers of a LiveCatalog do, and the loops of its threads.
#include "search/live_catalog.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "search/live_catalog_parts.hpp"

namespace scalestyle::search {

namespace {

constexpr std::size_t kTextsABatch = 64;
constexpr std::size_t kChangesATurn = 1'000;
constexpr std::chrono::seconds kBuildLimit{120};

core::Error stopped() { return core::fail(core::ErrorCode::kUnavailable, "the server is shutting down").error(); }

}  // namespace

LiveCatalog::LiveCatalog(Dependencies dependencies, LiveCatalogOptions options)
    : use_(dependencies),
      options_(options),
      kept_(use_.metrics.counter({"scalestyle_catalog_changes_total", "Changes of articles that were kept."})),
      followed_(use_.metrics.counter({"scalestyle_catalog_followed_changes_total", "Changes of articles that other servers made."})),
      changed_articles_(use_.metrics.gauge({"scalestyle_catalog_changed_articles", "Articles changed since the ingest."})),
      new_texts_(use_.metrics.gauge({"scalestyle_catalog_new_texts", "Articles whose vector is kept beside the index."})),
      unshown_articles_(use_.metrics.gauge({"scalestyle_catalog_unshown_articles", "Changed articles that lists do not show yet."})),
      build_seconds_(use_.metrics.histogram({"scalestyle_catalog_build_seconds", "Catalogue and index made anew for changes."},
                                            {0.01, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30})) {
  use_.generations.leave_publishing_to(*this);
}

core::Task<ChangeOutcome> LiveCatalog::change(ChangeRequest request) {
  if (request.changes.empty() || request.changes.size() > kMaxChanges) {
    const auto wrong = core::fail(core::ErrorCode::kInvalidArgument,
                                  fmt::format("a request has 1 to {} changes, not {}", kMaxChanges, request.changes.size()));
    co_return std::unexpected(ChangeFailure{wrong.error()});
  }
  for (std::size_t i = 0; i < request.changes.size(); ++i) {
    if (auto valid = request.changes[i].validate(); !valid) co_return std::unexpected(ChangeFailure{std::move(valid).error(), i});
  }
  const auto waiter = std::make_shared<Waiter>();
  if (auto embedded = co_await embed_ahead(request.changes, waiter->vectors, request.deadline); !embedded) {
    co_return std::unexpected(ChangeFailure{std::move(embedded).error()});
  }
  waiter->changes = std::move(request.changes);
  if (auto queued = enqueue(waiter); !queued) co_return std::unexpected(ChangeFailure{std::move(queued).error()});
  const auto decided = co_await await_slot<Waiter::Decision>(waiter->decided, use_.timers, request.deadline);
  if (!decided) {
    const auto outcome = waiter->begun.load() ? ports::AppendOutcome::kUnknown : ports::AppendOutcome::kNotKept;
    co_return std::unexpected(ChangeFailure{decided.error(), std::nullopt, outcome});
  }
  if (decided->failure) co_return std::unexpected(*decided->failure);
  ChangeAnswer answer{decided->sequence, decided->visible};
  if (!answer.visible) {
    const auto until = request.deadline.within(options_.visible_wait, use_.clock);
    const auto shown = co_await await_slot<void>(waiter->shown, use_.timers, until);
    answer.visible = shown.has_value();
  }
  co_return answer;
}

core::Status LiveCatalog::enqueue(const std::shared_ptr<Waiter>& waiter) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return std::unexpected(stopped());
  if (changes_waiting_ + waiter->changes.size() > options_.max_changes_waiting) {
    return core::fail(core::ErrorCode::kResourceExhausted,
                      fmt::format("{} changes wait to be kept, which is this server's limit; try again later", changes_waiting_));
  }
  changes_waiting_ += waiter->changes.size();
  waiting_.push_back(waiter);
  wake_writer_.notify_one();
  return {};
}

// Embeds here, beside the writer's thread, what the changes are likely to need: as seen from the served state, which may
// lack changes that wait. What turns out to be missing is embedded when the change is decided.
core::Task<core::Status> LiveCatalog::embed_ahead(const std::vector<catalog::ArticleChange>& changes, Vectors& vectors,
                                                  core::Deadline deadline) {
  const auto serving = use_.generations.serving();
  if (serving == nullptr) co_return core::fail(core::ErrorCode::kUnavailable, "no catalogue is loaded yet; try again later");
  if (!serving->dense_refusal().empty() || serving->info().document_encoder != use_.encoder.info()) co_return core::Status();
  Draft draft;
  for (const catalog::ArticleChange& change : changes) {
    auto [place, is_new] = draft.try_emplace(change.id);
    const auto row = serving->catalog().find(change.id);
    if (is_new && row) place->second = serving->catalog().row(*row).to_article();
    auto after = catalog::apply_change(change, place->second);
    if (!after) continue;  // refused later, or right by then
    place->second = std::move(*after);
  }
  std::vector<NewText> texts;
  for (const auto& [id, article] : draft) {
    if (!article) continue;
    std::string text = catalog::product_text_v1(*article);
    const auto row = serving->catalog().find(id);
    if (row && catalog::product_text_v1(serving->catalog().row(*row).to_article()) == text) continue;
    const auto hash = catalog::hash_text(text);
    texts.push_back({hash, std::move(text)});
  }
  co_return co_await embed(std::move(texts), vectors, deadline);
}

core::Task<core::Status> LiveCatalog::embed(std::vector<NewText> texts, Vectors& vectors, core::Deadline deadline) {
  std::ranges::sort(texts, {}, &NewText::hash);
  const auto same = std::ranges::unique(texts, {}, &NewText::hash);
  texts.erase(same.begin(), same.end());
  for (std::size_t first = 0; first < texts.size(); first += kTextsABatch) {
    const std::size_t count = std::min(kTextsABatch, texts.size() - first);
    std::vector<std::string> batch;
    for (std::size_t i = 0; i < count; ++i) batch.push_back(std::move(texts[first + i].text));
    CORE_CO_TRY(const auto embedded, co_await use_.encoder.encode(std::move(batch), deadline));
    if (embedded.dimension != use_.encoder.info().dimension || embedded.values.size() != count * embedded.dimension) {
      co_return core::fail(core::ErrorCode::kInternal, "the encoder gave vectors of another number or dimension");
    }
    for (std::size_t i = 0; i < count; ++i) {
      const auto begin = embedded.values.begin() + static_cast<std::ptrdiff_t>(i * embedded.dimension);
      const auto end = begin + static_cast<std::ptrdiff_t>(embedded.dimension);
      vectors.insert_or_assign(texts[first + i].hash, std::make_shared<const std::vector<float>>(begin, end));
    }
  }
  co_return core::Status();
}

core::Task<core::Status> LiveCatalog::switch_base(std::shared_ptr<const ports::CatalogSnapshot> base, core::Deadline deadline) {
  const auto wanted = std::make_shared<Switch>();
  wanted->base = std::move(base);
  wanted->deadline = deadline;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) co_return std::unexpected(stopped());
    base_waiting_ = wanted;
    wake_writer_.notify_one();
  }
  co_return co_await await_slot<void>(wanted->done, use_.timers, core::Deadline::never());
}

void LiveCatalog::write() {
  for (Turn turn; next_turn(turn); turn = {}) perform(turn);
  refuse_all();
}

bool LiveCatalog::next_turn(Turn& turn) {
  std::unique_lock lock(mutex_);
  const auto is_wanted = [this] { return stopping_ || !waiting_.empty() || base_waiting_ != nullptr || built_; };
  if (use_.changes.shared()) wake_writer_.wait_for(lock, options_.follow_interval, is_wanted);
  else wake_writer_.wait(lock, is_wanted);
  if (stopping_) return false;
  turn.base = std::exchange(base_waiting_, nullptr);
  turn.built = std::exchange(built_, std::nullopt);
  std::size_t taken = 0;
  while (!waiting_.empty() && taken < kChangesATurn) {
    taken += waiting_.front()->changes.size();
    turn.waiters.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  changes_waiting_ -= taken;
  return true;
}

void LiveCatalog::refuse_all() {
  std::deque<std::shared_ptr<Waiter>> waiting;
  std::shared_ptr<Switch> base;
  {
    const std::lock_guard lock(mutex_);
    waiting.swap(waiting_);
    base.swap(base_waiting_);
    changes_waiting_ = 0;
  }
  for (const auto& waiter : waiting) waiter->refuse({stopped()});
  for (const auto& waiter : std::exchange(hoping_, {})) waiter->shown->offer(std::unexpected(stopped()));
  if (base != nullptr) base->done->offer(std::unexpected(stopped()));
}

void LiveCatalog::build() {
  while (true) {
    std::shared_ptr<const BuildJob> job;
    {
      std::unique_lock lock(mutex_);
      wake_builder_.wait(lock, [this] { return stopping_ || job_ != nullptr; });
      if (stopping_) return;
      job = std::exchange(job_, nullptr);
    }
    const auto begun = use_.clock.steady_now();
    auto parts = core::sync_wait(build_live(job, use_.generations, core::Deadline::after(kBuildLimit, use_.clock)));
    build_seconds_.observe(std::chrono::duration<double>(use_.clock.steady_now() - begun).count());
    const std::lock_guard lock(mutex_);
    built_.emplace(Built{std::move(parts), job->through, job->epoch});
    wake_writer_.notify_one();
  }
}

void LiveCatalog::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  wake_writer_.notify_all();
  wake_builder_.notify_all();
}

}  // namespace scalestyle::search
