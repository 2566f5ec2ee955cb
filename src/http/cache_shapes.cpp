#include "http/cache_shapes.hpp"

#include <chrono>

#include "http/json_writer.hpp"

namespace scalestyle::http {

namespace {

double milliseconds(std::chrono::nanoseconds duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

}  // namespace

std::string cache_stats_json(const CacheStats& caches, std::string_view request_id) {
  const auto& [lists, pairs, pictures, near] = caches;
  JsonWriter json;
  const auto age = [&](std::string_view name, const std::optional<std::chrono::nanoseconds>& value) {
    json.key(name);
    if (value) {
      json.milliseconds(milliseconds(*value));
    } else {
      json.null();
    }
  };
  json.begin_object();
  json.key("status").text("success");
  json.key("request_id").text(request_id);
  json.key("ranked_lists").begin_object();
  json.key("entries").integer(lists.entries);
  json.key("bytes").integer(lists.bytes);
  json.key("max_bytes").integer(lists.max_bytes);
  json.key("hits").integer(lists.hits);
  json.key("stale_hits").integer(lists.stale_hits);
  json.key("misses").integer(lists.misses);
  json.key("evictions").integer(lists.evictions);
  age("oldest_ms", lists.oldest_age);
  age("newest_ms", lists.newest_age);
  json.end_object();
  if (pairs) {
    json.key("pair_scores").begin_object();
    json.key("entries").integer(pairs->entries);
    json.key("bytes").integer(pairs->bytes);
    json.key("max_bytes").integer(pairs->max_bytes);
    json.key("hits").integer(pairs->hits);
    json.key("misses").integer(pairs->misses);
    json.key("evictions").integer(pairs->evictions);
    json.key("oldest_use_ms").milliseconds(milliseconds(pairs->oldest_use));
    json.end_object();
  }
  const auto tell = [&](std::string_view name, const search::VectorCache::Statistics& cache) {
    json.key(name).begin_object();
    json.key("entries").integer(cache.entries);
    json.key("bytes").integer(cache.bytes);
    json.key("max_bytes").integer(cache.max_bytes);
    json.key("hits").integer(cache.hits);
    json.key("misses").integer(cache.misses);
    json.key("evictions").integer(cache.evictions);
    json.end_object();
  };
  if (pictures) tell("picture_vectors", *pictures);
  tell("near_articles", near);
  json.end_object();
  return std::move(json).take();
}

}  // namespace scalestyle::http
