#pragma once
// What is kept between requests, as JSON.

#include <optional>
#include <string>
#include <string_view>

#include "search/pair_score_cache.hpp"
#include "search/ranked_list_cache.hpp"
#include "search/vector_cache.hpp"

namespace scalestyle::http {

struct CacheStats {
  search::ListCacheStats lists{};
  std::optional<search::PairScoreCache::Statistics> pairs{};
  std::optional<search::VectorCache::Statistics> pictures{};
  search::VectorCache::Statistics near{};
};
[[nodiscard]] std::string cache_stats_json(const CacheStats& caches, std::string_view request_id);

}  // namespace scalestyle::http
