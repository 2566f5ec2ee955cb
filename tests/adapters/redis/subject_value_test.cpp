// SubjectValue and PopularityTable: bytes, marks, what is over when. Pure.

#include "adapters/redis/subject_value.hpp"

#include <gtest/gtest.h>

#include "adapters/redis/feature_keys.hpp"
#include "adapters/redis/popularity_table.hpp"
#include "adapters/redis/redis_client.hpp"
#include "adapters/redis/subject_update.hpp"
#include "events/event_id.hpp"
#include "support/feature_events.hpp"

namespace scalestyle::adapters::redis {
namespace {

using support::kFeatureNowMs;
constexpr events::EpochMs kDayMs = 86'400'000;

events::LoggedEvent event_at(std::int64_t offset, const std::string& id, events::EpochMs time) {
  auto event = support::logged(offset, support::click("ann", "1", "Dress", time));
  event.event.event_id = id;
  return event;
}

SubjectValue full_value() {
  SubjectValue value;
  value.version = 7;
  value.personalize = false;
  value.preference_ms = kFeatureNowMs - 5;
  value.last_event_ms = kFeatureNowMs;
  value.recent = {{"0000000002", kFeatureNowMs, events::EventType::kPurchase}, {"", kFeatureNowMs - 1'000, events::EventType::kView}};
  value.affinities = {{"Dress", {2.5, kFeatureNowMs - 3}}, {"Trousers/jeans", {0, kFeatureNowMs - kDayMs}}};
  value.applied = {{"log", 0, 12}, {"log", 3, 0}};
  value.seen = {{1, 20'500}, {~std::uint64_t{0}, 20'500}, {5, 20'513}};
  value.dropped_marks = true;
  value.barrier = LogPoint{{"log", 0, 4}, kFeatureNowMs - 9};
  value.merged = MergedInto{"ann {x}", {{"log", 1, 6}, kFeatureNowMs - 8}};
  return value;
}

TEST(SubjectValueTest, BytesAreReadBackAndNothingElseIs) {
  const SubjectValue value = full_value();
  const std::string bytes = encode(value);
  const auto back = decode_subject(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, value);
  EXPECT_EQ(decode_subject(encode(SubjectValue())), SubjectValue());
  EXPECT_FALSE(decode_subject(bytes + '\0'));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto cut = decode_subject(bytes.substr(0, size));
    if (cut) {
      EXPECT_NE(*cut, value) << size;
    }
  }
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const char flip : {'\x01', '\x80', '\x7f'}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      static_cast<void>(decode_subject(damaged));
    }
  }
}

TEST(SubjectValueTest, AnEventIsKnownByItsMarkAndByItsPlaceOnlyWhereMarksAreGone) {
  const MarkerOptions options{.days = 8, .max_marks = 4};
  SubjectValue value;
  const auto note = [&](const events::LoggedEvent& event) { value.note(event, mark_of(event), options); };
  const auto knows = [&](const events::LoggedEvent& event) { return value.knows(event, mark_of(event), options); };
  note(event_at(5, "a", kFeatureNowMs));
  EXPECT_TRUE(knows(event_at(5, "a", kFeatureNowMs)));
  EXPECT_TRUE(knows(event_at(99, "a", kFeatureNowMs))) << "wherever it comes from";
  EXPECT_FALSE(knows(event_at(3, "refused before", kFeatureNowMs)));
  for (int i = 0; i < 4; ++i) note(event_at(6 + i, std::to_string(i), kFeatureNowMs));
  EXPECT_EQ(value.seen.size(), 4U);
  EXPECT_TRUE(knows(event_at(5, "a", kFeatureNowMs))) << "by its offset: its mark had to go";
  auto retried = event_at(5, "a", kFeatureNowMs);
  retried.delivery.retries = 1;
  EXPECT_FALSE(knows(retried)) << "a record that was put off proves nothing by its place";
  EXPECT_FALSE(knows(event_at(10, "new", kFeatureNowMs)));
}

TEST(SubjectValueTest, MarksAreKeptForDaysAfterReceipt) {
  const MarkerOptions options{.days = 8, .max_marks = 100};
  SubjectValue value;
  const auto old = event_at(1, "old", kFeatureNowMs - 9 * kDayMs);
  const auto young = event_at(2, "young", kFeatureNowMs);
  value.note(young, mark_of(young), options);
  value.note(old, mark_of(old), options);
  EXPECT_EQ(value.seen.size(), 1U);
  EXPECT_TRUE(value.knows(old, mark_of(old), options)) << "an event older than marks are is known by its offset";
  auto within = event_at(3, "within", kFeatureNowMs - 7 * kDayMs);
  value.note(within, mark_of(within), options);
  EXPECT_TRUE(value.has_seen(mark_of(within)));
  EXPECT_EQ(value.seen.front().mark, mark_of(within)) << "by day";
}

TEST(SubjectValueTest, AnEventWithoutIdIsKnownByItsPlace) {
  EXPECT_EQ(mark_of(event_at(1, "id", 5)), mark_of(event_at(2, "id", 5)));
  EXPECT_NE(mark_of(event_at(1, "", 5)), mark_of(event_at(2, "", 5)));
  auto moved = event_at(9, "", 5);
  moved.position.stream = "retry";
  moved.delivery = {.retries = 1, .origin = {"log", 0, 1}};
  EXPECT_EQ(mark_of(moved), mark_of(event_at(1, "", 5))) << "the place where it was accepted";
}

TEST(SubjectValueTest, NeededUntilItsMarksMayGo) {
  const events::FeatureOptions options;
  const MarkerOptions markers;
  SubjectValue value;
  value.last_event_ms = kFeatureNowMs;
  value.note(event_at(1, "a", kFeatureNowMs), 1, markers);
  const auto session = needed_until_ms(value, Owner::kSession, options, markers);
  EXPECT_GE(*session, kFeatureNowMs + 8 * kDayMs);
  EXPECT_LE(*session, kFeatureNowMs + 9 * kDayMs);
  EXPECT_EQ(needed_until_ms(value, Owner::kUser, options, markers), kFeatureNowMs + options.user_ttl_seconds * 1'000);
  value.personalize = false;
  value.preference_ms = 5;
  EXPECT_EQ(needed_until_ms(value, Owner::kUser, options, markers), std::nullopt) << "a wish is kept";
}

TEST(SubjectValueTest, ContributionsAreReadBack) {
  const std::vector<Contribution> some{{"0000000001", 1.5, kFeatureNowMs, kFeatureNowMs + 3}, {"x", 0, 1, kFeatureNowMs}, {"", 3, kFeatureNowMs, 5}};
  const std::string bytes = encode_contributions(some);
  std::vector<Contribution> back;
  ASSERT_TRUE(decode_contributions(bytes, back));
  EXPECT_EQ(back, some);
  EXPECT_FALSE(decode_contributions(bytes.substr(0, bytes.size() - 1), back));
}

TEST(FeatureKeysTest, EveryKeyBeginsWithThePrefixAndASubjectsAreInOneSlot) {
  const FeatureKeys keys("hm:", 64);
  const auto subject = events::Subject::session(core::SessionId("a{b}c"));
  EXPECT_EQ(keys.subject(support::user("ann")), "hm:{f53}:user:ann") << "for ever";
  const std::uint16_t slot = RedisClient::slot_of(keys.subject(subject));
  EXPECT_EQ(RedisClient::slot_of(keys.merging(subject, 17)), slot);
  EXPECT_EQ(RedisClient::slot_of(keys.contributions(keys.shard_of(subject))), slot);
  EXPECT_EQ(RedisClient::slot_of(keys.items()), RedisClient::slot_of(keys.state()));
}

TEST(PopularityTableTest, TellsWhatChangedAndInWhichOrderItemsGo) {
  PopularityTable table;
  const auto record = [](events::EpochMs time) {
    events::ItemRecord made;
    made.apply(support::click("ann", "1", "Dress", time), 3'600);
    return made;
  };
  table.put("b", record(kFeatureNowMs - 2));
  table.put("a", record(kFeatureNowMs - 2));
  table.put("c", record(kFeatureNowMs - 5));
  const auto all = table.changes_since(0, kFeatureNowMs);
  EXPECT_TRUE(all.complete);
  EXPECT_EQ(all.items.size(), 3U);
  table.put("c", record(kFeatureNowMs));
  const auto one = table.changes_since(all.version, kFeatureNowMs);
  EXPECT_FALSE(one.complete);
  ASSERT_EQ(one.items.size(), 1U);
  EXPECT_EQ(one.items[0].item_id, "c");
  std::string order;
  for (const auto& [time, id] : table.by_activity()) order += id;
  EXPECT_EQ(order, "abc");
  table.erase("a");
  table.put("d", record(kFeatureNowMs));
  const auto rest = table.changes_since(one.version, kFeatureNowMs);
  EXPECT_TRUE(rest.complete) << "an item is gone";
  EXPECT_EQ(rest.items.size(), 3U);
  EXPECT_EQ(table.find("a"), nullptr);
  table.clear();
  EXPECT_TRUE(table.changes_since(0, kFeatureNowMs).items.empty());
}

}  // namespace
}  // namespace scalestyle::adapters::redis
