#pragma once
// NearRows: the articles whose vectors are nearest to one article's own, of texts or of photos. NearRowsFinder looks them up
// and keeps those of the whole catalogue, bounded by bytes: an article that many look at is looked up once a state of the
// catalogue.
//
// Thread safety: every method may be called from any thread. Must outlive every find().

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "catalog/article_id.hpp"
#include "catalog/bitmap.hpp"
#include "catalog/filters.hpp"
#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "core/timer_queue.hpp"
#include "ports/vector_index.hpp"
#include "ranking/for_you.hpp"
#include "search/eligible_search.hpp"
#include "search/snapshot_holder.hpp"
#include "search/vector_cache.hpp"

namespace scalestyle::search {

inline constexpr std::size_t kMaxNearRows = 300;  // of one article

enum class NearSpace : std::uint8_t { kTexts, kPhotos };

struct NearRows {
  // Best first, the article itself not among them; cosines scaled to (0, 1] over what was found, the nearest at 1.
  std::vector<ranking::ScoredRow> rows{};
  bool is_cut = false;  // there may be more

  [[nodiscard]] std::size_t bytes() const { return sizeof(NearRows) + rows.capacity() * sizeof(ranking::ScoredRow); }
};

struct NearQuery {
  NearSpace space = NearSpace::kTexts;
  std::shared_ptr<const ServingGeneration> generation{};  // not null
  catalog::RowIndex row{};                                // of its catalogue
  // What may be found; null: any article, and what is found is kept. `filter` as ports::VectorQuery.
  std::shared_ptr<const catalog::Bitmap> eligible{};
  std::shared_ptr<const catalog::Filter> filter{};
  core::Deadline deadline = core::Deadline::never();
};

class NearRowsFinder {
 public:
  using Found = std::shared_ptr<const NearRows>;  // not null

  // `photos` null: kPhotos is not to be asked for. 0 bytes keep nothing.
  struct Ports {
    ports::VectorIndex& texts;
    ports::VectorIndex* photos;
    core::TimerQueue& timers;
    telemetry::Metrics& metrics;
  };
  NearRowsFinder(Ports ports, std::size_t cache_bytes)
      : use_(ports),
        texts_(ports.texts, ports.metrics),
        photos_(ports.photos != nullptr ? *ports.photos : ports.texts, ports.metrics),
        max_bytes_(cache_bytes) {}
  NearRowsFinder(const NearRowsFinder&) = delete;
  NearRowsFinder& operator=(const NearRowsFinder&) = delete;

  // At most kMaxNearRows. An article without a vector (photo) is kNotFound. Errors besides: those of the index, kDataLoss when
  // it breaks its promise, kDeadlineExceeded at the deadline whatever it does, kCancelled. Resumes on the thread that completed it.
  [[nodiscard]] core::Task<core::Result<Found>> find(NearQuery query);

  // What is kept for a query without `eligible`; null: nothing. Counts a hit, not a miss.
  [[nodiscard]] Found kept(const NearQuery& query);

  [[nodiscard]] VectorCache::Statistics statistics() const;

 private:
  struct Entry {
    std::string key;
    Found rows;
  };
  using Entries = std::list<Entry>;

  [[nodiscard]] core::Task<core::Result<Found>> look_up(NearQuery query);
  [[nodiscard]] core::Task<core::Result<std::vector<float>>> vector_of(const NearQuery& query);
  [[nodiscard]] Found find_kept(std::string_view key);
  void keep(std::string key, Found rows);

  Ports use_;
  EligibleEngine texts_;
  EligibleEngine photos_;  // that of the texts where there are none
  const std::size_t max_bytes_;
  mutable std::mutex mutex_;
  Entries entries_;  // most recently used first; guarded by mutex_, as all below
  std::unordered_map<std::string_view, Entries::iterator> places_;  // keys are those of the entries
  std::size_t bytes_ = 0;
  std::uint64_t hits_ = 0;
  std::uint64_t misses_ = 0;
  std::uint64_t evictions_ = 0;
};

}  // namespace scalestyle::search
