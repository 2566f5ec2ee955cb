// Properties: any order and any repetition of the same events gives the same features; a checkpoint at any point, lost or
// failed, changes nothing; readers, checkpoints and events at once.

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>
#include <unordered_set>

#include "feature_store_support.hpp"

namespace scalestyle::support {
namespace {

using Events = std::vector<events::LoggedEvent>;

void renumber(Events& all) {
  std::int64_t offset = 0;
  for (auto& event : all) event.position.offset = ++offset;
}

// As the log does it: of an id only the first is kept.
Events keep_first(const Events& all) {
  std::unordered_set<std::string> seen;
  Events kept;
  for (const auto& event : all) {
    if (seen.insert(event.event.event_id).second) kept.push_back(event);
  }
  return kept;
}

TEST(FeaturePropertiesTest, AnyPermutationAndDuplicationGivesTheSameFeatures) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    std::mt19937_64 random(seed);
    Events all;
    for (const auto& event : sample_events(300, kFeatureNowMs - 1'200'000, seed)) {
      if (!events::concerns_item(event.event.type) && event.event.type != events::EventType::kPreferences) continue;
      all.push_back(event);
      // Some happened long before they were received, or (of users) days apart.
      if (all.back().event.user_id && random() % 3 == 0) {
        all.back().event.event_time_ms -= static_cast<events::EpochMs>(random() % 600'000'000);
      }
    }
    renumber(all);
    FeatureStoreFixture in_order;
    in_order.apply(all);
    const std::int64_t last = all.back().position.offset;

    for (int variant = 0; variant < 2; ++variant) {
      Events shuffled = all;
      for (int extra = 0; extra < 100; ++extra) shuffled.push_back(all[random() % all.size()]);
      std::ranges::shuffle(shuffled, random);
      shuffled = keep_first(shuffled);
      renumber(shuffled);
      FeatureStoreFixture other;
      for (std::size_t begin = 0; begin < shuffled.size();) {
        const std::size_t end = std::min(shuffled.size(), begin + 1 + random() % 40);
        // Given again from anywhere before.
        const std::size_t from = random() % (begin + 1);
        other.apply({shuffled.begin() + static_cast<std::ptrdiff_t>(from), shuffled.begin() + static_cast<std::ptrdiff_t>(end)});
        begin = end;
      }
      ASSERT_EQ(shuffled.back().position.offset, last);
      EXPECT_EQ(difference(*in_order, *other, 1e-9), "") << "seed " << seed << ", variant " << variant;
    }
  }
}

TEST(FeaturePropertiesTest, CheckpointsCrashesAndReplaysChangeNothing) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    std::mt19937_64 random(seed);
    events::FeatureOptions options;
    options.max_memory_bytes = 1u << 20;
    options.session_ttl_seconds = 300;
    options.max_recent_items = 7;
    options.max_affinities = 4;
    Events all = sample_events(1'500, kFeatureNowMs - 2'000'000, seed);
    for (auto& event : all) {
      // Many subjects and items, so that the bound of memory is reached.
      if (event.event.user_id && random() % 2 == 0) {
        event.event.user_id = core::UserId("a-long-id-" + std::to_string(random() % 100'000) + std::string(3'000, 'x'));
      }
      if (random() % 2 == 0 && !event.event.item_id.empty()) event.event.item_id = std::to_string(random() % 5'000);
    }
    FeatureStoreFixture straight(options);
    straight.apply(all);
    EXPECT_GT(straight->usage().evicted_subjects + straight->usage().evicted_items, 0U);

    FeatureStoreFixture restarted(options);
    std::size_t at = 0;
    std::size_t durable = 0;
    while (at < all.size()) {
      const std::size_t end = std::min(all.size(), at + 1 + random() % 120);
      restarted.apply({all.begin() + static_cast<std::ptrdiff_t>(at), all.begin() + static_cast<std::ptrdiff_t>(end)});
      at = end;
      if (random() % 3 == 0) {
        const auto positions = restarted->checkpoint_now();
        ASSERT_TRUE(positions) << positions.error().message;
        durable = at;
      }
      if (random() % 5 == 0) {
        restarted.reopen();
        at = durable;
      }
    }
    EXPECT_EQ(difference(*straight, *restarted), "") << "seed " << seed;
    EXPECT_EQ(straight->usage().memory_bytes, restarted->usage().memory_bytes);
    ASSERT_TRUE(restarted->checkpoint_now());
    restarted.reopen();
    EXPECT_EQ(difference(*straight, *restarted), "") << "seed " << seed << ", reopened";
  }
}

TEST(FeaturePropertiesTest, WhatAFailedCheckpointDidNotWriteTheNextOneDoes) {
  FeatureStoreFixture store;
  FeatureStoreFixture straight;
  Events all = sample_events(2'000, kFeatureNowMs - 3'000'000, 9);
  straight.apply(all);
  const auto part = [&](std::size_t begin, std::size_t end) {
    store.apply({all.begin() + static_cast<std::ptrdiff_t>(begin), all.begin() + static_cast<std::ptrdiff_t>(end)});
  };
  part(0, 700);
  ASSERT_TRUE(store->checkpoint_now());
  for (std::size_t begin = 700; begin < 1'900; begin += 300) {
    part(begin, begin + 300);
    // The transaction's last statement fails, when everything else of it is written.
    sqlite3* other = nullptr;
    ASSERT_EQ(sqlite3_open(store.path().c_str(), &other), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(other, "CREATE TRIGGER refuse BEFORE UPDATE ON meta BEGIN SELECT RAISE(ABORT, 'refused'); END", nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(other);
    const auto before = core::sync_wait(store->committed(core::Deadline::never()));
    EXPECT_FALSE(store->checkpoint_now());
    EXPECT_EQ(*core::sync_wait(store->committed(core::Deadline::never())), *before);
    ASSERT_EQ(sqlite3_exec(other, "DROP TRIGGER refuse", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(other);
  }
  part(1'900, 2'000);
  ASSERT_TRUE(store->checkpoint_now());
  store.reopen();
  EXPECT_EQ(difference(*straight, *store), "");
}

TEST(FeaturePropertiesTest, EventsReadersAndCheckpointsAtOnce) {
  events::FeatureOptions options;
  options.max_memory_bytes = 1u << 20;
  options.session_ttl_seconds = 200;
  Events all = sample_events(12'000, kFeatureNowMs - 13'000'000, 11);
  std::mt19937_64 random(11);
  for (auto& event : all) {
    if (event.event.user_id && random() % 2 == 0) event.event.user_id = core::UserId("u" + std::to_string(random() % 6'000));
    if (random() % 4 == 0 && !event.event.item_id.empty()) event.event.item_id = std::to_string(random() % 3'000);
  }
  FeatureStoreFixture straight(options);
  straight.apply(all);

  FeatureStoreFixture store(options);
  std::atomic<bool> applied{false};
  std::atomic<std::size_t> checkpoints{0};
  std::thread checkpointer([&] {
    do {
      const auto written = store->checkpoint_now();
      EXPECT_TRUE(written) << written.error().message;
      ++checkpoints;
    } while (!applied);
  });
  std::vector<std::thread> readers;
  for (unsigned reader = 0; reader < 2; ++reader) {
    readers.emplace_back([&, reader] {
      std::mt19937_64 choice(reader);
      std::uint64_t version = 0;
      while (!applied) {
        const events::SubjectFeatures features = store.read(user("u" + std::to_string(choice() % 20)));
        for (const auto& item : features.recent_items) EXPECT_FALSE(item.item_id.empty());
        const auto changes = core::sync_wait(store->popularity(version, kFeatureNowMs, core::Deadline::never()));
        version = changes->version;
        for (const auto& item : changes->items) EXPECT_FALSE(item.item_id.empty());
        EXPECT_LE(store->usage().memory_bytes, options.max_memory_bytes);
      }
    });
  }
  for (std::size_t begin = 0; begin < all.size(); begin += 40) {
    // Two checkpoints at least end while events are applied.
    while (begin == all.size() / 2 && checkpoints < 2) std::this_thread::yield();
    store.apply({all.begin() + static_cast<std::ptrdiff_t>(begin), all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), begin + 40))});
  }
  applied = true;
  checkpointer.join();
  for (auto& reader : readers) reader.join();
  EXPECT_GT(checkpoints, 1U);
  EXPECT_EQ(difference(*straight, *store), "");
  ASSERT_TRUE(store->checkpoint_now());
  store.reopen();
  EXPECT_EQ(difference(*straight, *store), "");
}

}  // namespace
}  // namespace scalestyle::support
