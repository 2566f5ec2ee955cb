#pragma once
// RankedListCache: the lists of recent queries, bounded by bytes; what was asked for longest ago goes first.
//
// One list a key, with the version that it was made from. A list of another version is not given as the query's list, but
// as what may stand in for it: for a moment after a switch to another generation while the new one is made, and where none
// can be made. After a change of articles nothing stands in: who changed them sees it in the next list. Nothing
// of a subject is ever in it: keys and lists are made from what everybody gets.
//
// Thread safety: every method may be called from any thread.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "search/ranked_list.hpp"

namespace scalestyle::search {

struct ListCacheOptions {
  std::size_t max_bytes = std::size_t{64} << 20;   // 0: nothing is kept
  std::chrono::milliseconds stale_for{500};        // how long after a switch of generation an older list may be given; 0 … 60,000

  // kInvalidArgument with the setting as field.
  [[nodiscard]] core::Status validate() const;
};

struct ListCacheStats {
  std::size_t entries = 0;
  std::size_t bytes = 0;
  std::size_t max_bytes = 0;
  std::uint64_t hits = 0;         // lists of the current version
  std::uint64_t stale_hits = 0;   // of another generation, given while the new one was made
  std::uint64_t misses = 0;
  std::uint64_t evictions = 0;    // for lack of space
  std::optional<std::chrono::nanoseconds> oldest_age{};  // since it was made; nothing without entries
  std::optional<std::chrono::nanoseconds> newest_age{};
};

class RankedListCache {
 public:
  struct Found {
    std::shared_ptr<const RankedList> list;  // not null
    bool is_current = true;                  // false: of another generation, within `stale_for` of the switch
  };

  // `options` must be valid; the clock outlives this object.
  RankedListCache(ListCacheOptions options, const core::Clock& clock) : options_(options), clock_(clock) {}

  // Counts a hit, a stale hit or a miss.
  [[nodiscard]] std::optional<Found> find(const std::string& key, const ListVersion& version);

  // The list of that key and version; null when there is none. Counts nothing: for who has looked by find() before.
  [[nodiscard]] std::shared_ptr<const RankedList> peek(const std::string& key, const ListVersion& version) const;

  // The list of that key, of whatever version; null when there is none. Counts nothing.
  [[nodiscard]] std::shared_ptr<const RankedList> last_good(const std::string& key) const;

  // Takes the place of what is kept for the key, unless that is reranked deeper and of the same version. A list larger than
  // the whole cache is not kept.
  void put(const std::string& key, ListVersion version, std::shared_ptr<const RankedList> list);

  [[nodiscard]] bool enabled() const { return options_.max_bytes > 0; }
  [[nodiscard]] ListCacheStats stats() const;

 private:
  struct Entry {
    std::string key;
    ListVersion version;
    std::shared_ptr<const RankedList> list;
    std::size_t bytes = 0;
    core::SteadyTime made{};
  };
  using Entries = std::list<Entry>;

  [[nodiscard]] bool is_just_switched(const std::string& generation);  // holds mutex_

  const ListCacheOptions options_;
  const core::Clock& clock_;

  // What follows is guarded by mutex_.
  mutable std::mutex mutex_;
  Entries entries_;  // most recently asked for first
  std::unordered_map<std::string_view, Entries::iterator> by_key_;
  std::size_t bytes_ = 0;
  std::string newest_;    // the generation that was first asked for last, and since when
  std::string previous_;
  core::SteadyTime newest_since_{};
  std::uint64_t hits_ = 0;
  std::uint64_t stale_hits_ = 0;
  std::uint64_t misses_ = 0;
  std::uint64_t evictions_ = 0;
};

}  // namespace scalestyle::search
