// What LiveCatalog::write() does about changes that other servers made. Everything here runs on its thread.
#include <map>
#include <utility>

#include "search/live_catalog.hpp"
#include "search/live_catalog_parts.hpp"

namespace scalestyle::search {

namespace {

constexpr std::size_t kReadSlice = 10'000;
// Up to so many texts are embedded here; of more, the vectors that the other server kept are read, all of them.
constexpr std::size_t kTextsEmbedded = 16;

}  // namespace

// Takes over what other servers changed since, and publishes it. After an error, what was not taken over is read again.
core::Status LiveCatalog::follow() {
  if (state_ == nullptr) return {};
  std::set<catalog::ArticleId> changed;
  const auto take_all = [&]() -> core::Status {
    while (true) {
      const auto deadline = core::Deadline::after(options_.deadline, use_.clock);
      CORE_TRY(const auto changes, core::sync_wait(use_.changes.read(state_->last_sequence(), kReadSlice, deadline)));
      CORE_CHECK(take_changes(changes, changed));
      if (changes.size() < kReadSlice) return {};
    }
  };
  auto taken = take_all();
  if (!changed.empty()) {
    build_failed_ = false;
    show(use_.generations.serving()->parts(), std::vector(changed.begin(), changed.end()), false);
  }
  if (taken) {
    logged_follow_error_.clear();
  } else if (taken.error().message != logged_follow_error_) {
    logged_follow_error_ = taken.error().message;
    use_.log.error("cannot follow changes that other servers made; what is served stays", {{"cause", logged_follow_error_}});
  }
  return taken;
}

// All of them or, after an error, none.
core::Status LiveCatalog::take_changes(const std::vector<ports::LoggedChange>& changes, std::set<catalog::ArticleId>& changed) {
  std::map<catalog::ArticleId, std::pair<std::optional<catalog::Article>, std::int64_t>> now;  // with the sequence
  for (const ports::LoggedChange& logged : changes) {
    const catalog::ArticleId& id = logged.change.id;
    const auto before = now.find(id);
    auto after = state_->changed().after(logged.change, before == now.end() ? state_->changed().find(id) : before->second.first);
    if (after) now.insert_or_assign(id, std::pair(std::move(*after), logged.sequence));
  }
  const bool searched = use_.generations.dense_refusal(state_->base().info).empty();
  std::map<catalog::ArticleId, catalog::TextHash> texts;
  std::vector<NewText> wanted;
  Vectors vectors;
  for (const auto& [id, article] : now) {
    auto text = searched && article.first ? state_->new_text(*article.first) : std::nullopt;
    if (!text) continue;
    texts.emplace(id, text->hash);
    const auto held = state_->side().find(id);
    if (held != state_->side().end() && held->second.text == text->hash) vectors.emplace(text->hash, held->second.values);
    else wanted.push_back(std::move(*text));
  }
  CORE_CHECK(find_texts(wanted, vectors));
  for (const auto& [id, article] : now) {
    const auto text = texts.find(id);
    std::optional<SideVector> vector;
    if (text != texts.end()) vector = SideVector{text->second, vectors.at(text->second)};
    state_->accept(id, article.first, article.second, std::move(vector));
    changed.insert(id);
  }
  if (!changes.empty()) state_->pass_over(changes.back().sequence);
  followed_.add(static_cast<double>(changes.size()));
  return {};
}

core::Status LiveCatalog::find_texts(const std::vector<NewText>& wanted, Vectors& vectors) {
  if (wanted.empty()) return {};
  CORE_CHECK(check_encoder(state_->base()));
  const auto deadline = core::Deadline::after(options_.deadline, use_.clock);
  if (wanted.size() > kTextsEmbedded) {
    CORE_TRY(const auto kept, core::sync_wait(use_.changes.vectors(use_.encoder.info(), deadline)));
    for (const ports::ArticleVector& vector : kept) vectors.emplace(vector.text, vector.values);
  }
  std::vector<NewText> missing;
  for (const NewText& text : wanted) {
    if (!vectors.contains(text.hash)) missing.push_back(text);
  }
  return core::sync_wait(embed(std::move(missing), vectors, deadline));
}

}  // namespace scalestyle::search
