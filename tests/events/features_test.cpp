// Golden values of decay and windows, late, early and absurd times.

#include "events/features.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "events/effect.hpp"
#include "events/item_record.hpp"

namespace scalestyle::events {
namespace {

constexpr EpochMs kT = 1'772'879'445'123;  // 2026-03-07T10:30:45.123Z
constexpr double kHour = 3'600;
constexpr EpochMs kHourMs = 3'600'000;

Event click(EpochMs time_ms, double weight = 1) {
  Event event;
  event.item_id = "0000000001";
  event.category = "dress";
  event.weight = weight;
  event.event_time_ms = time_ms;
  event.received_time_ms = time_ms;
  return event;
}

double after_two(double half_life_seconds, EpochMs apart_ms) {
  DecayedScore score;
  score.add(1, kT, half_life_seconds);
  score.add(1, kT + apart_ms, half_life_seconds);
  EXPECT_EQ(score.time_ms, kT + apart_ms);
  return score.value;
}

TEST(DecayedScoreTest, MatchesTheGoldenValuesOfASecondEventAfter72Hours) {
  EXPECT_NEAR(after_two(72 * kHour, 72 * kHourMs), 1.5, 1e-12);
  EXPECT_NEAR(after_two(24 * kHour, 72 * kHourMs), 1.125, 1e-12);
  EXPECT_NEAR(after_two(FeatureOptions().affinity_half_life_seconds, 72 * kHourMs), 1.7429971445684742, 1e-12);
  EXPECT_NEAR(after_two(FeatureOptions().global_half_life_seconds, 72 * kHourMs), 1.3535533905932737, 1e-12);
}

TEST(DecayedScoreTest, TheLogarithmicRankOrdersAsTheDecayedScoresDo) {
  const double lambda = std::numbers::ln2 / FeatureOptions().global_half_life_seconds;
  EXPECT_NEAR(lambda, 4.01126840601820188e-06, 1e-20);
  const auto rank = [&](const DecayedScore& score) { return std::log(score.value) + lambda * static_cast<double>(score.time_ms) / 1'000.0; };
  DecayedScore score;
  score.add(1, kT, FeatureOptions().global_half_life_seconds);
  EXPECT_NEAR(rank(score), 7111.49530590097, 1e-9);
  score.add(1, kT + 72 * kHourMs, FeatureOptions().global_half_life_seconds);
  EXPECT_NEAR(rank(score), 7112.837759947423, 1e-9);
}

TEST(DecayedScoreTest, OrderOfArrivalDoesNotMatter) {
  // t, then 72 h older, then t again: what arrives late counts as it would have in time.
  DecayedScore late;
  late.add(1, kT, 72 * kHour);
  late.add(1, kT - 72 * kHourMs, 72 * kHour);
  late.add(1, kT, 72 * kHour);
  EXPECT_NEAR(late.value, 2.5, 1e-12);
  EXPECT_EQ(late.time_ms, kT);
}

TEST(DecayedScoreTest, NeverDecaysIntoTheFuture) {
  DecayedScore score;
  score.add(2, kT, kHour);
  EXPECT_EQ(score.value_at(kT - 1, kHour), 2);
  EXPECT_EQ(score.value_at(kT, kHour), 2);
  EXPECT_NEAR(score.value_at(kT + kHourMs, kHour), 1, 1e-12);
  EXPECT_NEAR(score.value_at(kT + 2 * kHourMs, kHour), 0.5, 1e-12);
  EXPECT_EQ(score.value_at(std::numeric_limits<EpochMs>::max(), kHour), 0);
  score.add(1, std::numeric_limits<EpochMs>::min(), kHour);
  EXPECT_EQ(score.value, 2);
}

TEST(WindowTest, BucketsAreAlignedToTheEpoch) {
  EXPECT_EQ(bucket_start_seconds(kT, shape(Window::k1h)), 1'772'879'400);
  EXPECT_EQ(bucket_start_seconds(kT, shape(Window::k24h)), 1'772'877'600);
  EXPECT_EQ(bucket_start_seconds(kT, shape(Window::k7d)), 1'772'841'600);
  EXPECT_EQ(bucket_start_seconds(-5, shape(Window::k1h)), -300);
  EXPECT_EQ(bucket_start_seconds(-5, shape(Window::k24h)), -3'600);
  EXPECT_EQ(bucket_start_seconds(-5, shape(Window::k7d)), -86'400);
}

TEST(WindowTest, AnEventCountsUntilItsBucketLeavesTheWindow) {
  ItemRecord item;
  item.apply(click(kT), 1);
  const EpochMs start = bucket_start_seconds(kT, shape(Window::k1h)) * 1'000;
  EXPECT_EQ(item.windows(kT), (std::array<double, 3>{1, 1, 1}));
  EXPECT_EQ(item.windows(start + kHourMs - 1)[0], 1);
  EXPECT_EQ(item.windows(start + kHourMs)[0], 0);
  EXPECT_EQ(item.windows(start + kHourMs)[1], 1);
  EXPECT_EQ(item.windows(start - 1)[0], 0) << "a bucket ahead of the reader's clock does not count yet";
  EXPECT_EQ(item.windows(kT + 24 * kHourMs)[1], 0);
  EXPECT_EQ(item.windows(kT + 24 * kHourMs)[2], 1);
  EXPECT_EQ(item.windows(kT + 8 * 24 * kHourMs)[2], 0);
}

TEST(WindowTest, LateEventsGoIntoTheirOwnBucketsAndTooLateOnesInNone) {
  ItemRecord item;
  item.apply(click(kT), 1);
  item.apply(click(kT - 30 * 60'000), 1);
  item.apply(click(kT - 5 * kHourMs), 1);
  item.apply(click(kT - 3 * 24 * kHourMs), 1);
  item.apply(click(kT - 30 * 24 * kHourMs), 1);
  EXPECT_EQ(item.windows(kT), (std::array<double, 3>{2, 3, 4}));
  EXPECT_EQ(item.last_event_ms(), kT);
}

TEST(EffectTest, AbsurdTimesAndWeightsAreBroughtWithinBounds) {
  Event event = click(kT);
  event.event_time_ms = std::numeric_limits<EpochMs>::max();
  EXPECT_EQ(effective_time_ms(event), kT + kMaxLeadMs);
  event.event_time_ms = -5;
  EXPECT_EQ(effective_time_ms(event), 1);
  event.received_time_ms = std::numeric_limits<EpochMs>::min();
  event.event_time_ms = std::numeric_limits<EpochMs>::max();
  EXPECT_EQ(effective_time_ms(event), 1 + kMaxLeadMs);
  event.received_time_ms = std::numeric_limits<EpochMs>::max();
  EXPECT_EQ(effective_time_ms(event), 253'402'300'799'999);
  for (const double weight : {-1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    EXPECT_EQ(effective_weight(click(kT, weight)), 0) << weight;
  }
  EXPECT_EQ(effective_weight(click(kT, 1e300)), 1e6);
}

TEST(EffectTest, AnEventOfTheYear33658DoesNotPinAnItemToTheTop) {
  ItemRecord item;
  Event absurd = click(kT);
  absurd.event_time_ms = 1'000'000'000'000'000;
  item.apply(absurd, 48 * kHour);
  EXPECT_EQ(item.global().time_ms, kT + kMaxLeadMs);
  item.apply(click(kT + kMaxLeadMs), 48 * kHour);
  EXPECT_EQ(item.windows(kT + kMaxLeadMs)[0], 2);
}

TEST(FeatureOptionsTest, NamesTheSettingThatIsWrong) {
  EXPECT_TRUE(FeatureOptions().validate());
  const auto field = [](auto change) {
    FeatureOptions options;
    change(options);
    const auto status = options.validate();
    return status ? std::string() : status.error().field;
  };
  EXPECT_EQ(field([](auto& options) { options.affinity_half_life_seconds = 0; }), "affinity_half_life_seconds");
  EXPECT_EQ(field([](auto& options) { options.global_half_life_seconds = std::numeric_limits<double>::quiet_NaN(); }), "global_half_life_seconds");
  EXPECT_EQ(field([](auto& options) { options.session_ttl_seconds = -1; }), "session_ttl_seconds");
  EXPECT_EQ(field([](auto& options) { options.user_ttl_seconds = 0; }), "user_ttl_seconds");
  EXPECT_EQ(field([](auto& options) { options.max_recent_items = 0; }), "max_recent_items");
  EXPECT_EQ(field([](auto& options) { options.max_affinities = 0; }), "max_affinities");
  EXPECT_EQ(field([](auto& options) { options.max_memory_bytes = 1; }), "max_memory_bytes");
}

TEST(ItemTtlTest, CoversTheLongestWindowAndThirtyHalfLives) {
  FeatureOptions options;
  EXPECT_EQ(item_ttl_ms(options), 60 * 24 * kHourMs);
  options.global_half_life_seconds = 60;
  EXPECT_EQ(item_ttl_ms(options), 9 * 24 * kHourMs);
}

}  // namespace
}  // namespace scalestyle::events
