// What the server keeps between requests.
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include "http/json_shapes.hpp"
#include "http/json_writer.hpp"

namespace scalestyle::http {

namespace {

double milliseconds(std::chrono::nanoseconds duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

void write_age(JsonWriter& json, std::string_view name, const std::optional<std::chrono::nanoseconds>& value) {
  json.key(name);
  if (value) {
    json.milliseconds(milliseconds(*value));
  } else {
    json.null();
  }
}

template <class Statistics>
void write_sizes(JsonWriter& json, const Statistics& cache) {
  json.key("entries").integer(cache.entries);
  json.key("bytes").integer(cache.bytes);
  json.key("max_bytes").integer(cache.max_bytes);
  json.key("hits").integer(cache.hits);
  json.key("misses").integer(cache.misses);
  json.key("evictions").integer(cache.evictions);
}

}  // namespace

std::string cache_stats_json(const search::ListCacheStats& lists, const std::optional<search::PairScoreCache::Statistics>& pairs,
                             const std::optional<search::VectorCache::Statistics>& pictures, std::string_view request_id) {
  JsonWriter json;
  json.begin_object();
  json.key("status").text("success");
  json.key("request_id").text(request_id);
  json.key("ranked_lists").begin_object();
  write_sizes(json, lists);
  json.key("stale_hits").integer(lists.stale_hits);
  write_age(json, "oldest_ms", lists.oldest_age);
  write_age(json, "newest_ms", lists.newest_age);
  json.end_object();
  if (pairs) {
    json.key("pair_scores").begin_object();
    write_sizes(json, *pairs);
    json.key("oldest_use_ms").milliseconds(milliseconds(pairs->oldest_use));
    json.end_object();
  }
  if (pictures) {
    json.key("picture_vectors").begin_object();
    write_sizes(json, *pictures);
    json.end_object();
  }
  json.end_object();
  return std::move(json).take();
}

}  // namespace scalestyle::http
