#include "doctor_judgement.hpp"

#include <gmock/gmock.h>

#include <limits>

namespace scalestyle::app {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t kGigabyte = 1'000'000'000;

TEST(DoctorSync, QuantilesAreSamples) {
  std::vector<double> times;
  for (int i = 200; i >= 1; --i) times.push_back(i);
  const SyncTimes found = sync_times(std::move(times));
  EXPECT_DOUBLE_EQ(found.p50_ms, 100);
  EXPECT_DOUBLE_EQ(found.p99_ms, 198);
  EXPECT_EQ(found.samples, 200U);
  EXPECT_DOUBLE_EQ(sync_times({7}).p99_ms, 7);
}

TEST(DoctorSync, ASlowDiskWarnsAndOneThatEatsTheDeadlineFails) {
  const milliseconds deadline(2'000);
  EXPECT_EQ(judge_sync({.p50_ms = 1, .p99_ms = 3, .samples = 9}, deadline, false).status, CheckStatus::kOk);
  EXPECT_EQ(judge_sync({.p50_ms = 15, .p99_ms = 80, .samples = 9}, deadline, false).status, CheckStatus::kWarn);
  EXPECT_EQ(judge_sync({.p50_ms = 400, .p99_ms = 1'200, .samples = 2}, deadline, false).status, CheckStatus::kFail);
  const Check in_memory = judge_sync({.p50_ms = 0.01, .p99_ms = 0.02, .samples = 9}, deadline, true);
  EXPECT_EQ(in_memory.status, CheckStatus::kWarn);
  EXPECT_THAT(in_memory.found, HasSubstr("tmpfs"));
}

TEST(DoctorDisk, TheNextGenerationMustFit) {
  const DiskNeed need{.generation_bytes = 2 * kGigabyte, .events_bytes = 5 * kGigabyte, .kept_bytes = kGigabyte};
  EXPECT_EQ(judge_free_disk(1 * kGigabyte, need).status, CheckStatus::kFail);
  EXPECT_EQ(judge_free_disk(3 * kGigabyte, need).status, CheckStatus::kWarn);
  EXPECT_EQ(judge_free_disk(6 * kGigabyte, need).status, CheckStatus::kOk);
  EXPECT_EQ(judge_free_disk(50'000'000, {}).status, CheckStatus::kFail);
  // More is kept than the settings allow now: nothing is going to be added.
  EXPECT_EQ(judge_free_disk(kGigabyte, {.events_bytes = 1, .kept_bytes = 9 * kGigabyte}).status, CheckStatus::kOk);
}

TEST(DoctorMemory, TheControlGroupKillsAndTheMachineOnlyGetsSlow) {
  const std::vector<MemoryPart> parts{{"models", kGigabyte}, {"catalogue", kGigabyte}, {"nothing", 0}};
  EXPECT_EQ(judge_memory(parts, {.available_bytes = 8 * kGigabyte, .limit_bytes = 4 * kGigabyte}).status, CheckStatus::kOk);
  EXPECT_EQ(judge_memory(parts, {.available_bytes = 8 * kGigabyte, .limit_bytes = kGigabyte}).status, CheckStatus::kFail);
  EXPECT_EQ(judge_memory(parts, {.available_bytes = kGigabyte}).status, CheckStatus::kWarn);
  EXPECT_EQ(judge_memory(parts, {.available_bytes = 2'100'000'000}).status, CheckStatus::kWarn);
  const Check unknown = judge_memory(parts, {});
  EXPECT_EQ(unknown.status, CheckStatus::kOk);
  EXPECT_THAT(unknown.found, HasSubstr("about 2000 MB needed (models 1000, catalogue 1000)"));
}

TEST(DoctorMemory, LimitsOfControlGroupsAreRead) {
  EXPECT_EQ(parse_memory_limit("max\n"), 0U);
  EXPECT_EQ(parse_memory_limit("9223372036854771712\n"), 0U);
  EXPECT_EQ(parse_memory_limit("536870912\n"), 536'870'912U);
  for (const char* nonsense : {"", "\n", "-1", "12 cats", "99999999999999999999"}) EXPECT_EQ(parse_memory_limit(nonsense), 0U)
      << nonsense;
  const ControlGroups both = parse_control_groups("12:memory:/docker/x\n5:cpu,cpuacct:/y\n0::/system.slice/shop\n");
  EXPECT_THAT(both.unified, ElementsAre("/system.slice/shop", "/system.slice", "/"));
  EXPECT_THAT(both.memory, ElementsAre("/docker/x", "/docker", "/"));
  EXPECT_THAT(parse_control_groups("0::/\n").unified, ElementsAre("/"));
  for (const char* nonsense : {"", "\n\n", "0", "0:", "0::", "0::relative", ":::::"}) {
    EXPECT_THAT(parse_control_groups(nonsense).unified, IsEmpty()) << nonsense;
  }
}

TEST(DoctorHandles, EachConnectionTakesOne) {
  EXPECT_EQ(judge_handles(65'536, 1'024).status, CheckStatus::kOk);
  EXPECT_EQ(judge_handles(std::numeric_limits<std::uint64_t>::max(), 1'024).status, CheckStatus::kOk);
  EXPECT_EQ(judge_handles(1'024, 1'024).status, CheckStatus::kWarn);
  EXPECT_EQ(judge_handles(64, 1'024).status, CheckStatus::kFail);
}

TEST(DoctorClock, WhatIsNotKnownIsNoSkew) {
  EXPECT_EQ(judge_clock("c", "Redis", milliseconds(-900), milliseconds(1)).status, CheckStatus::kOk);
  EXPECT_EQ(judge_clock("c", "Redis", milliseconds(1'500), milliseconds(1'000)).status, CheckStatus::kOk);
  const Check behind = judge_clock("c", "Redis", milliseconds(-61'000), milliseconds(1));
  EXPECT_EQ(behind.status, CheckStatus::kWarn);
  EXPECT_THAT(behind.found, HasSubstr("61000 ms behind ours"));
}

TEST(DoctorClock, ADateIsReadExactlyOrNotAtAll) {
  const auto told = parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT");
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(core::to_iso8601(*told), "1994-11-06T08:49:37.000Z");
  for (const char* nonsense :
       {"", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun, -6 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMTx",
            "Sun Nov  6 08:49:37 1994     "}) {
    EXPECT_FALSE(parse_http_date(nonsense).has_value()) << nonsense;
  }
}

TEST(DoctorRedis, EvictionIsNotForFeatures) {
  adapters::redis::RedisFacts facts{.version = "7.0.15", .eviction_policy = "noeviction", .replicas = 1};
  EXPECT_EQ(judge_redis(facts, {.keeps_features = true}).status, CheckStatus::kOk);
  EXPECT_THAT(judge_redis(facts, {}).found,
              HasSubstr("Redis 7.0.15, standalone of 1 master and 1 replica, eviction noeviction, no memory limit"));
  facts.replicas = 0;
  EXPECT_EQ(judge_redis(facts, {.keeps_features = true}).status, CheckStatus::kWarn);
  EXPECT_EQ(judge_redis(facts, {}).status, CheckStatus::kOk);
  facts.eviction_policy = "allkeys-lru";
  EXPECT_EQ(judge_redis(facts, {.keeps_features = true}).status, CheckStatus::kFail);
  EXPECT_EQ(judge_redis(facts, {.allow_eviction = true, .keeps_features = true}).status, CheckStatus::kWarn);
  facts.eviction_policy.clear();
  EXPECT_EQ(judge_redis(facts, {}).status, CheckStatus::kWarn);
}

TEST(DoctorAccess, AnOpenAddressNeedsKeys) {
  for (const char* host : {"127.0.0.1", "127.1.2.3", "::1", "localhost"}) EXPECT_EQ(judge_access({.host = host,
      .knows_keys = true}).status, CheckStatus::kOk) << host;
  EXPECT_EQ(judge_access({.host = "0.0.0.0", .knows_keys = true}).status, CheckStatus::kFail);
  EXPECT_EQ(judge_access({.host = "0.0.0.0", .knows_keys = true, .insecure = true}).status, CheckStatus::kWarn);
  EXPECT_EQ(judge_access({.host = "0.0.0.0", .knows_keys = true, .has_keys = true}).status, CheckStatus::kOk);
  EXPECT_EQ(judge_access({.host = "0.0.0.0"}).status, CheckStatus::kWarn);
}

TEST(DoctorRerankDepth, AdvisesWhatTheMachineAffords) {
  RerankRate rate{.planned = 50, .wanted = 50, .recommended = 50, .precision = "int8", .recommended_precision = "int8"};
  EXPECT_EQ(judge_rerank_depth(rate).status, CheckStatus::kOk);
  rate.planned = rate.recommended = 12;
  EXPECT_THAT(judge_rerank_depth(rate).advice, Eq("--rerank-depth 12 fits this machine"));
  rate.precision = "f32";
  rate.recommended = 40;
  const Check check = judge_rerank_depth(rate);
  EXPECT_EQ(check.status, CheckStatus::kWarn);
  EXPECT_THAT(check.advice, HasSubstr("--rerank-precision int8 affords 40"));
}

}  // namespace
}  // namespace scalestyle::app
