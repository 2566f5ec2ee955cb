// What LiveCatalog::write() does in a turn. Everything here runs on its thread.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "search/live_catalog.hpp"
#include "search/live_catalog_parts.hpp"

namespace scalestyle::search {

namespace {

constexpr std::size_t kReadSlice = 10'000;
constexpr int kDecisions = 5;  // of one turn, where other servers change articles at the same time
constexpr std::chrono::seconds kPublishLimit{120};

std::int64_t milliseconds_of(core::WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

bool sets_texts(const catalog::ArticleChange& change) {
  const bool in_attributes = std::ranges::any_of(change.attributes, [](const auto& column) { return column.has_value(); });
  return change.kind != catalog::ChangeKind::kDelete && (change.name || change.description || in_attributes);
}

ChangeFailure unforeseen(const std::exception& failure) {
  return {core::fail(core::ErrorCode::kInternal, fmt::format("a change failed: {}", failure.what())).error(), std::nullopt,
          ports::AppendOutcome::kUnknown};
}

}  // namespace

void LiveCatalog::perform(Turn& turn) {
  try {
    if (turn.built) take_built(*turn.built);
    if (turn.base != nullptr) turn.base->done->offer(take_base(*turn.base));
    if (!turn.waiters.empty()) decide(turn.waiters);
    else if (use_.changes.shared()) static_cast<void>(follow());
    settle_shown();
    order_build();
  } catch (const std::exception& failure) {
    use_.log.error("a turn of the live catalogue failed", {{"cause", std::string_view(failure.what())}});
    for (const auto& waiter : turn.waiters) waiter->refuse(unforeseen(failure));
    if (turn.base != nullptr) turn.base->done->offer(std::unexpected(unforeseen(failure).error));
  }
}

void LiveCatalog::decide(const std::deque<std::shared_ptr<Waiter>>& waiters) {
  core::Error cause = core::fail(core::ErrorCode::kUnavailable,
                                 "other servers changed articles again and again at the same time; try again").error();
  for (int decision = 0; decision < kDecisions; ++decision) {
    if (use_.changes.shared()) {
      if (auto followed = follow(); !followed) {
        cause = std::move(followed).error();
        break;
      }
    }
    if (decide_once(waiters)) return;
  }
  for (const auto& waiter : waiters) waiter->refuse({cause});
}

bool LiveCatalog::decide_once(const std::deque<std::shared_ptr<Waiter>>& waiters) {
  Round round;
  for (const auto& waiter : waiters) consider(waiter, round);
  if (round.accepted.empty()) return true;
  if (auto complete = complete_vectors(round); !complete) {
    for (const auto& waiter : round.accepted) waiter->refuse({complete.error()});
    return true;
  }
  return keep(round);
}

void LiveCatalog::consider(const std::shared_ptr<Waiter>& waiter, Round& round) {
  waiter->begun.store(true);
  if (waiter->decided->taken()) return;  // its caller left
  if (state_ == nullptr) {
    waiter->refuse({core::fail(core::ErrorCode::kUnavailable, "no catalogue is loaded yet; try again later").error()});
    return;
  }
  const auto texts = static_cast<std::size_t>(std::ranges::count_if(waiter->changes, sets_texts));
  if (texts > 0 && state_->side().size() + round.texts + texts > options_.max_new_texts) {
    waiter->refuse({core::fail(core::ErrorCode::kResourceExhausted,
                               fmt::format("{} articles have new texts, at most {} may: ingest the catalogue anew",
                                           state_->side().size() + round.texts, options_.max_new_texts))
                        .error()});
    return;
  }
  std::size_t at = 0;
  if (auto considered = state_->consider(waiter->changes, round.draft, at); !considered) {
    waiter->refuse({std::move(considered).error(), at});
    return;
  }
  round.texts += texts;
  round.vectors.insert(waiter->vectors.begin(), waiter->vectors.end());
  round.accepted.push_back(waiter);
}

// Every article of the draft whose text the index does not have gets its vector, or the round cannot be kept.
core::Status LiveCatalog::complete_vectors(Round& round) {
  const auto serving = use_.generations.serving();
  if (!serving->dense_refusal().empty()) return {};  // nothing is searched by meaning
  std::vector<std::pair<catalog::ArticleId, NewText>> wanted;
  std::vector<NewText> missing;
  for (const auto& [id, article] : round.draft) {
    if (!article) continue;
    auto text = state_->new_text(*article);
    if (!text) continue;
    const auto held = state_->side().find(id);
    if (held != state_->side().end() && held->second.text == text->hash) {
      round.side.emplace(id, held->second);
      continue;
    }
    if (!round.vectors.contains(text->hash)) missing.push_back(*text);
    wanted.emplace_back(id, std::move(*text));
  }
  if (wanted.empty()) return {};
  CORE_CHECK(check_encoder(state_->base()));
  CORE_CHECK(core::sync_wait(embed(std::move(missing), round.vectors, core::Deadline::after(options_.deadline, use_.clock))));
  for (const auto& [id, text] : wanted) {
    const SideVector vector{text.hash, round.vectors.at(text.hash)};
    round.side.emplace(id, vector);
    round.made.emplace(id, vector);
  }
  return {};
}

core::Status LiveCatalog::check_encoder(const ports::CatalogSnapshot& base) const {
  if (base.info.document_encoder == use_.encoder.info()) return {};
  const auto describe = [](const ports::EncoderInfo& encoder) { return fmt::format("{} in {}", encoder.model, encoder.precision); };
  return core::fail(core::ErrorCode::kFailedPrecondition,
                    fmt::format("texts of generation {} are embedded by {}, this server embeds documents by {}: start it again "
                                "to change texts",
                                base.info.id.value(), describe(base.info.document_encoder), describe(use_.encoder.info())));
}

bool LiveCatalog::keep(Round& round) {
  ports::ChangeBatch batch;
  if (use_.changes.shared()) batch.only_after = state_->last_sequence();
  for (const auto& waiter : round.accepted) {
    batch.changes.insert(batch.changes.end(), waiter->changes.begin(), waiter->changes.end());
  }
  for (const auto& [id, vector] : round.made) batch.vectors.push_back({id, vector.text, vector.values});
  batch.encoder = use_.encoder.info();
  batch.time_ms = milliseconds_of(use_.clock.wall_now());
  const std::size_t count = batch.changes.size();
  const auto first = core::sync_wait(use_.changes.append(std::move(batch), core::Deadline::never()));
  if (!first) {
    if (first.error().error.field == ports::kOnlyAfterField) return false;
    use_.log.warning("changes of articles were not kept", {{"cause", first.error().error.message}});
    for (const auto& waiter : round.accepted) waiter->refuse({first.error().error, std::nullopt, first.error().outcome});
    return true;
  }
  kept_.add(static_cast<double>(count));
  std::map<catalog::ArticleId, std::int64_t> sequences;
  std::int64_t sequence = *first;
  for (const auto& waiter : round.accepted) {
    for (const catalog::ArticleChange& change : waiter->changes) sequences.insert_or_assign(change.id, sequence++);
  }
  std::vector<catalog::ArticleId> changed;
  for (const auto& [id, article] : round.draft) {
    const auto vector = round.side.find(id);
    state_->accept(id, article, sequences.at(id), vector == round.side.end() ? std::nullopt : std::optional(vector->second));
    changed.push_back(id);
  }
  build_failed_ = false;
  show(use_.generations.serving()->parts(), changed, false);
  sequence = *first - 1;
  for (const auto& waiter : round.accepted) {
    sequence += static_cast<std::int64_t>(waiter->changes.size());
    const bool visible = is_shown(*waiter);
    if (!visible) hoping_.push_back(waiter);
    waiter->decided->offer(Waiter::Decision{.sequence = sequence, .visible = visible});
  }
  return true;
}

bool LiveCatalog::is_shown(const Waiter& waiter) const {
  return std::ranges::none_of(waiter.changes, [this](const auto& change) { return unshown_.contains(change.id); });
}

// Publishes `parts` with the latest states of these articles, when there is anything new about them; notes those that
// need a catalogue built anew.
void LiveCatalog::show(ServingGeneration::Parts parts, std::span<const catalog::ArticleId> articles, bool always) {
  const LiveState::Gap gap = state_->gap(*parts.snapshot->catalog, articles);
  for (const catalog::ArticleId& id : articles) unshown_.erase(id);
  unshown_.insert(gap.unshown.begin(), gap.unshown.end());
  changed_articles_.set(static_cast<double>(state_->changed().size()));
  new_texts_.set(static_cast<double>(state_->side().size()));
  unshown_articles_.set(static_cast<double>(unshown_.size()));
  if (gap.states.empty() && !always) return;
  parts = with_states(std::move(parts), gap.states);
  const std::uint64_t served = use_.generations.serving()->version().delta;
  parts.delta = std::max(served + 1, static_cast<std::uint64_t>(state_->last_sequence()));
  use_.generations.publish(std::move(parts));
}

void LiveCatalog::take_built(Built& built) {
  if (built.epoch != epoch_) return;  // of a base that is served no more
  building_ = false;
  if (!built.parts) {
    build_failed_ = true;
    use_.log.error("new articles and texts cannot be shown; what is served stays", {{"cause", built.parts.error().message}});
    return;
  }
  unshown_.clear();
  show(std::move(*built.parts), state_->changed_after(built.through), true);
}

void LiveCatalog::settle_shown() {
  std::erase_if(hoping_, [this](const std::shared_ptr<Waiter>& waiter) {
    if (!is_shown(*waiter)) return false;
    waiter->shown->offer(core::Status());
    return true;
  });
}

void LiveCatalog::order_build() {
  if (building_ || build_failed_ || unshown_.empty()) return;
  building_ = true;
  auto job = std::make_shared<const BuildJob>(state_->job(epoch_));
  const std::lock_guard lock(mutex_);
  job_ = std::move(job);
  wake_builder_.notify_one();
}

core::Status LiveCatalog::take_base(Switch& wanted) {
  CORE_TRY(auto state, replay(wanted.base, wanted.deadline));
  const auto job = std::make_shared<const BuildJob>(state->job(epoch_ + 1));
  CORE_TRY(auto parts, core::sync_wait(build_live(job, use_.generations, wanted.deadline)));
  // A time of its own: what is built is not thrown away for having taken long.
  CORE_CHECK(core::sync_wait(use_.generations.publish_base(std::move(parts), core::Deadline::after(kPublishLimit, use_.clock))));
  state_ = std::move(state);
  ++epoch_;
  building_ = false;
  build_failed_ = false;
  unshown_.clear();
  changed_articles_.set(static_cast<double>(state_->changed().size()));
  new_texts_.set(static_cast<double>(state_->side().size()));
  unshown_articles_.set(0);
  // What its files overruled is of no more use. It stays harmless: replay() passes over it.
  const auto& info = wanted.base->info;
  const auto settled =
      core::sync_wait(use_.changes.settle(info.changes_through, info.changes_overruled_ms, core::Deadline::never()));
  if (!settled) use_.log.warning("changes that were overruled stay in their file", {{"cause", settled.error().message}});
  return {};
}

core::Result<std::unique_ptr<LiveState>> LiveCatalog::replay(const std::shared_ptr<const ports::CatalogSnapshot>& base,
                                                             core::Deadline deadline) {
  std::int64_t after = base->info.changes_through;
  auto state = std::make_unique<LiveState>(base, after);
  std::size_t replayed = 0;
  std::size_t passed_over = 0;
  while (true) {
    CORE_TRY(const auto changes, core::sync_wait(use_.changes.read(after, kReadSlice, deadline)));
    for (const ports::LoggedChange& logged : changes) {
      after = logged.sequence;
      const auto now = state->changed().after(logged.change, state->changed().find(logged.change.id));
      // A patch of an article that the new catalogue does not have any more has nothing to act on.
      if (now) state->accept(logged.change.id, *now, logged.sequence, std::nullopt);
      else state->pass_over(logged.sequence);
      ++(now ? replayed : passed_over);
    }
    if (changes.size() < kReadSlice) break;
  }
  CORE_CHECK(find_vectors(*state, deadline));
  if (replayed + passed_over > 0) {
    use_.log.info("changes since the ingest were laid over the catalogue",
                  {{"generation", base->info.id.value()}, {"changes", replayed}, {"passed_over", passed_over}});
  }
  return state;
}

core::Status LiveCatalog::find_vectors(LiveState& state, core::Deadline deadline) {
  if (!use_.generations.dense_refusal(state.base().info).empty()) return {};
  std::vector<std::pair<catalog::ArticleId, NewText>> wanted;
  for (const auto& [id, entry] : state.changed().entries()) {
    if (!entry.article) continue;
    if (auto text = state.new_text(*entry.article)) wanted.emplace_back(id, std::move(*text));
  }
  if (wanted.empty()) return {};
  CORE_CHECK(check_encoder(state.base()));
  CORE_TRY(const auto kept, core::sync_wait(use_.changes.vectors(use_.encoder.info(), deadline)));
  std::map<catalog::ArticleId, SideVector> by_article;
  for (const ports::ArticleVector& vector : kept) by_article.insert_or_assign(vector.article, SideVector{vector.text, vector.values});
  std::vector<NewText> missing;
  Vectors vectors;
  for (const auto& [id, text] : wanted) {
    const auto found = by_article.find(id);
    if (found != by_article.end() && found->second.text == text.hash) vectors.emplace(text.hash, found->second.values);
  }
  for (const auto& [id, text] : wanted) {
    if (!vectors.contains(text.hash)) missing.push_back(text);
  }
  ports::ChangeBatch made{.encoder = use_.encoder.info()};
  const Vectors before = vectors;
  CORE_CHECK(core::sync_wait(embed(std::move(missing), vectors, deadline)));
  for (const auto& [id, text] : wanted) {
    const SideVector vector{text.hash, vectors.at(text.hash)};
    if (!before.contains(text.hash)) made.vectors.push_back({id, vector.text, vector.values});
    const auto entry = state.changed().entries().at(id);
    state.accept(id, state.changed().find(id), entry.sequence, vector);
  }
  if (made.vectors.empty()) return {};
  const auto noted = core::sync_wait(use_.changes.append(std::move(made), deadline));
  if (!noted) use_.log.warning("vectors of changed articles were not kept: they are made again at the next start",
                               {{"cause", noted.error().error.message}});
  return {};
}

}  // namespace scalestyle::search
