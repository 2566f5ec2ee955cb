// What RedisFeatureStore does in a second, printed; its answers are checked by the way. One process beside its servers.

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <random>

#include "feature_comparison.hpp"

namespace scalestyle::support {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

class RedisFeatureSpeedTest : public ::testing::TestWithParam<Servers> {
 protected:
  void SetUp() override { SKIP_WITHOUT_REDIS(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Servers, RedisFeatureSpeedTest, ::testing::Values(Servers::kPlain, Servers::kCluster),
                         name_of_servers);

TEST_P(RedisFeatureSpeedTest, EventsAppliedAndSubjectsRead) {
  constexpr std::size_t kEvents = 40'000;
  constexpr std::size_t kBatch = 2'000;
  constexpr std::size_t kUsers = 5'000;
  std::mt19937_64 random(4);
  Events all;
  for (std::size_t i = 0; i < kEvents; ++i) {
    auto event = click("customer-" + std::to_string(random() % kUsers), fmt::format("{:010}", 108'775'000 + random() % 20'000),
                       "Product type " + std::to_string(random() % 100), kFeatureNowMs - 1'000'000 + static_cast<events::EpochMs>(i));
    event.event_id = fmt::format("00000000-0000-4000-8000-{:012x}", i);
    all.push_back(logged(static_cast<std::int64_t>(i) + 1, std::move(event)));
  }
  RedisStoreFixture store(GetParam(), consumer_options());
  store->start();
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t at = 0; at < kEvents; at += kBatch) {
    store.apply({all.begin() + static_cast<std::ptrdiff_t>(at), all.begin() + static_cast<std::ptrdiff_t>(at + kBatch)});
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::vector<double> reads;
  for (int i = 0; i < 3'000; ++i) {
    const auto from = std::chrono::steady_clock::now();
    const auto features = store.read(user("customer-" + std::to_string(random() % kUsers)));
    reads.push_back(Milliseconds(std::chrono::steady_clock::now() - from).count());
    ASSERT_LE(features.recent_items.size(), 100U);
  }
  store->stop();
  const auto merging = std::chrono::steady_clock::now();
  store.merge();
  const std::chrono::duration<double> merged = std::chrono::steady_clock::now() - merging;
  double sum = 0;
  for (const auto& [id, item] : store.popularity()) sum += item.windows[2];
  EXPECT_EQ(sum, kEvents);
  std::ranges::sort(reads);
  std::printf("%s: %.0f events/s applied in batches of %zu with popularity merged meanwhile (the rest in %.2f s); read() p50 %.3f ms, p99 %.3f ms\n",
              GetParam() == Servers::kPlain ? "standalone" : "cluster of 3 masters and 3 replicas", static_cast<double>(kEvents) / took.count(), kBatch,
              merged.count(), reads[reads.size() / 2], reads[reads.size() * 99 / 100]);
}

}  // namespace
}  // namespace scalestyle::support
