#pragma once
// PairScoreCache: scores that a cross-encoder has given, by model, query and document text. Bounded by bytes; what was not
// used for longest goes first. A score never becomes wrong: its key holds everything that decides its bits.
//
// Thread safety: every method may be called from any thread; one lock, taken once for all pairs of a query.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "catalog/product_text.hpp"
#include "core/clock.hpp"
#include "ports/pair_scorer.hpp"

namespace scalestyle::search {

// 128 bits of SHA-256: two pairs that share a key are beyond what can happen.
using PairKey = catalog::TextHash;

// The keys of one query's pairs.
class PairKeys {
 public:
  PairKeys(const ports::ScorerInfo& scorer, std::string_view query);
  [[nodiscard]] PairKey of(std::string_view document) const;

 private:
  PairKey query_;  // of scorer and query
};

class PairScoreCache {
 public:
  // What one entry is counted as: key, score and the nodes of list and table.
  static constexpr std::size_t kEntryBytes = 128;

  struct Statistics {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
    std::uint64_t evictions = 0;
    std::size_t entries = 0;
    std::size_t bytes = 0;
    std::size_t max_bytes = 0;
    std::chrono::nanoseconds oldest_use{0};  // how long ago the entry that goes next was used
  };

  // Keeps at most `max_bytes`; less than one entry keeps nothing. `clock` must outlive the cache.
  PairScoreCache(std::size_t max_bytes, const core::Clock& clock) : max_bytes_(max_bytes), clock_(clock) {}
  PairScoreCache(const PairScoreCache&) = delete;
  PairScoreCache& operator=(const PairScoreCache&) = delete;

  // One entry a key: its score, or nothing.
  [[nodiscard]] std::vector<std::optional<ports::PairScore>> find(std::span<const PairKey> keys);

  // `keys` and `scores` have one entry a pair.
  void put(std::span<const PairKey> keys, std::span<const ports::PairScore> scores);

  [[nodiscard]] Statistics statistics() const;

 private:
  struct Entry {
    PairKey key;
    ports::PairScore score;
    core::SteadyTime used;
  };
  using Entries = std::list<Entry>;

  const std::size_t max_bytes_;
  const core::Clock& clock_;
  mutable std::mutex mutex_;
  Entries entries_;  // most recently used first; guarded by mutex_, as all below
  std::unordered_map<PairKey, Entries::iterator> places_;
  std::uint64_t hits_ = 0;
  std::uint64_t misses_ = 0;
  std::uint64_t evictions_ = 0;
};

}  // namespace scalestyle::search
