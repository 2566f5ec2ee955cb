#pragma once
// The Redis store beside the embedded one, after the same events.

#include <map>
#include <string>

#include "../embedded/feature_store_support.hpp"
#include "feature_store_support.hpp"

namespace scalestyle::support {

inline RedisStoreFixture::Options consumer_options() {
  RedisStoreFixture::Options options;
  options.keeps_positions = true;
  options.merges_popularity = true;
  options.log_stream = "log";
  return options;
}

inline std::string key_of(const RedisStoreFixture& store, const events::Subject& subject) {
  return adapters::redis::FeatureKeys(store.options().prefix, store.options().shards).subject(subject);
}

inline std::map<std::string, events::ItemPopularity> popularity_of(FeatureStoreFixture& memory) {
  std::map<std::string, events::ItemPopularity> items;
  const auto changes = core::sync_wait(memory->popularity(0, kFeatureNowMs, core::Deadline::never()));
  for (const auto& item : changes->items) items.emplace(item.item_id, item);
  return items;
}

// "Standalone" or "Cluster", of a test's parameter.
inline std::string name_of_servers(const ::testing::TestParamInfo<Servers>& test) {
  return test.param == Servers::kPlain ? "Standalone" : "Cluster";
}

// All subjects and items of sample_events(), as the embedded store has them after the same events.
inline void expect_as_embedded(RedisStoreFixture& redis, FeatureStoreFixture& memory, const std::string& what) {
  for (int i = 0; i < 10; ++i) {
    const auto subject = user("u" + std::to_string(i));
    EXPECT_EQ(difference(redis.read(subject), memory.read(subject)), "") << what << ", " << subject.key();
  }
  for (int i = 0; i < 5; ++i) {
    const auto subject = session("s" + std::to_string(i));
    EXPECT_EQ(difference(redis.read(subject), memory.read(subject)), "") << what << ", " << subject.key();
  }
  redis.merge();
  EXPECT_EQ(difference(redis.popularity(), popularity_of(memory)), "") << what;
}

}  // namespace scalestyle::support
