#include "search/pair_score_cache.hpp"

#include <fmt/format.h>

#include <cassert>
#include <string>

namespace scalestyle::search {

PairKeys::PairKeys(const ports::ScorerInfo& scorer, std::string_view query) {
  // Lengths before texts: no two inputs make the same bytes.
  query_ = catalog::hash_text(fmt::format("{}:{}{}:{}{}:{}{}:{}{}:{}", scorer.model.size(), scorer.model,
                                          scorer.weights_hash.size(), scorer.weights_hash, scorer.precision.size(),
                                          scorer.precision, scorer.max_tokens, scorer.activation, query.size(), query));
}

PairKey PairKeys::of(std::string_view document) const {
  std::string bytes(query_.bytes.begin(), query_.bytes.end());
  bytes += document;
  return catalog::hash_text(bytes);
}

std::vector<std::optional<ports::PairScore>> PairScoreCache::find(std::span<const PairKey> keys) {
  std::vector<std::optional<ports::PairScore>> scores(keys.size());
  const core::SteadyTime now = clock_.steady_now();
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto found = places_.find(keys[i]);
    if (found == places_.end()) {
      ++misses_;
      continue;
    }
    ++hits_;
    found->second->used = now;
    entries_.splice(entries_.begin(), entries_, found->second);
    scores[i] = found->second->score;
  }
  return scores;
}

void PairScoreCache::put(std::span<const PairKey> keys, std::span<const ports::PairScore> scores) {
  assert(keys.size() == scores.size());
  if (max_bytes_ < kEntryBytes) return;
  const core::SteadyTime now = clock_.steady_now();
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto [place, is_new] = places_.try_emplace(keys[i]);
    if (!is_new) continue;  // the same score
    entries_.push_front({keys[i], scores[i], now});
    place->second = entries_.begin();
    if (entries_.size() * kEntryBytes <= max_bytes_) continue;
    places_.erase(entries_.back().key);
    entries_.pop_back();
    ++evictions_;
  }
}

PairScoreCache::Statistics PairScoreCache::statistics() const {
  const core::SteadyTime now = clock_.steady_now();
  const std::lock_guard lock(mutex_);
  Statistics statistics{.hits = hits_, .misses = misses_, .evictions = evictions_, .entries = entries_.size(),
                        .bytes = entries_.size() * kEntryBytes, .max_bytes = max_bytes_};
  if (!entries_.empty()) statistics.oldest_use = now - entries_.back().used;
  return statistics;
}

}  // namespace scalestyle::search
