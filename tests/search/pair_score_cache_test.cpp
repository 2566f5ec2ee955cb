#include "search/pair_score_cache.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "support/fake_clock.hpp"

namespace scalestyle::search {
namespace {

using ports::PairScore;
using std::chrono::seconds;

const ports::ScorerInfo kScorer{"model", "hash", "int8", "sigmoid", 512};

std::vector<PairKey> keys(const std::vector<std::string>& texts, std::string_view query = "q") {
  const PairKeys of_query(kScorer, query);
  std::vector<PairKey> result;
  for (const std::string& text : texts) result.push_back(of_query.of(text));
  return result;
}

void put(PairScoreCache& cache, const std::string& text, float logit) {
  cache.put(keys({text}), std::vector{PairScore{logit, 0.5F}});
}
std::optional<float> logit_of(PairScoreCache& cache, const std::string& text) {
  const auto found = cache.find(keys({text}));
  return found[0] ? std::optional(found[0]->logit) : std::nullopt;
}

TEST(PairScoreCache, FindsWhatWasPut) {
  support::FakeClock clock;
  PairScoreCache cache(1 << 20, clock);
  EXPECT_FALSE(logit_of(cache, "a"));
  cache.put(keys({"a", "b"}), std::vector{PairScore{1, 0.7F}, PairScore{2, 0.8F}});
  const auto found = cache.find(keys({"b", "c", "a"}));
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0], (PairScore{2, 0.8F}));
  EXPECT_FALSE(found[1]);
  EXPECT_EQ(found[2], (PairScore{1, 0.7F}));
  const auto statistics = cache.statistics();
  EXPECT_EQ(statistics.hits, 2U);
  EXPECT_EQ(statistics.misses, 2U);
  EXPECT_EQ(statistics.entries, 2U);
  EXPECT_EQ(statistics.bytes, 2 * PairScoreCache::kEntryBytes);
}

TEST(PairScoreCache, WhatWasNotUsedForLongestGoesFirst) {
  support::FakeClock clock;
  PairScoreCache cache(3 * PairScoreCache::kEntryBytes, clock);
  for (const char* text : {"a", "b", "c"}) {
    put(cache, text, 1);
    clock.advance(seconds(1));
  }
  EXPECT_TRUE(logit_of(cache, "a"));
  EXPECT_EQ(cache.statistics().oldest_use, seconds(2));  // b
  put(cache, "d", 1);
  EXPECT_FALSE(logit_of(cache, "b"));
  EXPECT_TRUE(logit_of(cache, "a") && logit_of(cache, "c") && logit_of(cache, "d"));
  EXPECT_EQ(cache.statistics().evictions, 1U);
  EXPECT_LE(cache.statistics().bytes, cache.statistics().max_bytes);
}

TEST(PairScoreCache, WithoutRoomNothingIsKept) {
  support::FakeClock clock;
  PairScoreCache cache(PairScoreCache::kEntryBytes - 1, clock);
  put(cache, "a", 1);
  EXPECT_FALSE(logit_of(cache, "a"));
  EXPECT_EQ(cache.statistics().entries, 0U);
  EXPECT_EQ(cache.statistics().oldest_use, seconds(0));
}

TEST(PairScoreCache, KeysHoldAllThatDecidesAScore) {
  const auto key = [](const ports::ScorerInfo& scorer, std::string_view query, std::string_view text) {
    return PairKeys(scorer, query).of(text);
  };
  const PairKey same = key(kScorer, "query", "text");
  EXPECT_EQ(key(kScorer, "query", "text"), same);
  EXPECT_NE(key(kScorer, "quer", "ytext"), same);
  EXPECT_NE(key(kScorer, "query", "texts"), same);
  EXPECT_NE(key({"model2", "hash", "int8", "sigmoid", 512}, "query", "text"), same);
  EXPECT_NE(key({"model", "hash2", "int8", "sigmoid", 512}, "query", "text"), same);
  EXPECT_NE(key({"model", "hash", "f32", "sigmoid", 512}, "query", "text"), same);
  EXPECT_NE(key({"model", "hash", "int8", "sigmoid", 256}, "query", "text"), same);
  EXPECT_NE(key({"modelhash", "", "int8", "sigmoid", 512}, "query", "text"), same);
}

TEST(PairScoreCache, ThreadsShareIt) {
  support::FakeClock clock;
  PairScoreCache cache(50 * PairScoreCache::kEntryBytes, clock);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&cache] {
      for (int i = 0; i < 500; ++i) {
        const std::string text = std::to_string(i * 7 % 90);
        if (const auto logit = logit_of(cache, text); logit) {
          EXPECT_EQ(*logit, std::stof(text));
        }
        put(cache, text, std::stof(text));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(cache.statistics().entries, 50U);
  EXPECT_EQ(cache.statistics().hits + cache.statistics().misses, 2'000U);
}

}  // namespace
}  // namespace scalestyle::search
