// Records of subjects and items: bounds, merges, bytes.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "events/byte_codec.hpp"
#include "events/item_record.hpp"
#include "events/subject_record.hpp"

namespace scalestyle::events {
namespace {

constexpr EpochMs kT = 1'772'879'445'123;

class RecordTest : public ::testing::Test {
 protected:
  [[nodiscard]] RecordContext context() { return {items_, categories_, options_}; }

  void act(SubjectRecord& record, const std::string& item, const std::string& category, EpochMs time_ms,
           EventType type = EventType::kClick, double weight = 1) {
    Event event;
    event.type = type;
    event.item_id = item;
    event.category = category;
    event.weight = weight;
    event.event_time_ms = time_ms;
    event.received_time_ms = time_ms;
    apply_item_event(record, event, context());
  }
  [[nodiscard]] SubjectFeatures features(const SubjectRecord& record, EpochMs now_ms = kT) const {
    return to_features(record, items_, categories_, now_ms, options_.affinity_half_life_seconds);
  }

  FeatureOptions options_;
  NameTable items_;
  NameTable categories_;
};

TEST_F(RecordTest, RecentItemsAreTheNewestOfEachItemAndTypeNewestFirst) {
  SubjectRecord record;
  act(record, "b", "Dress", kT);
  act(record, "a", "Dress", kT);
  act(record, "a", "Dress", kT - 5);
  act(record, "a", "Dress", kT - 9, EventType::kPurchase);
  act(record, "c", "Dress", kT + 1);
  act(record, "c", "Dress", kT + 2);
  const std::vector<RecentItem> wanted = {{"c", kT + 2, EventType::kClick}, {"a", kT, EventType::kClick},
                                          {"b", kT, EventType::kClick},     {"a", kT - 9, EventType::kPurchase}};
  EXPECT_EQ(features(record).recent_items, wanted);
  EXPECT_EQ(features(record).last_event_ms, kT + 2);
  EXPECT_EQ(items_.size(), 3U);
}

TEST_F(RecordTest, TheBoundKeepsTheNewestWhateverTheOrder) {
  options_.max_recent_items = 3;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    std::vector<int> order = {0, 1, 2, 3, 4, 5, 6, 7};
    std::shuffle(order.begin(), order.end(), std::mt19937_64(seed));
    SubjectRecord record;
    for (const int i : order) act(record, "item" + std::to_string(i % 5), "", kT + i);
    const std::vector<RecentItem> wanted = {{"item2", kT + 7, EventType::kClick}, {"item1", kT + 6, EventType::kClick},
                                            {"item0", kT + 5, EventType::kClick}};
    EXPECT_EQ(features(record).recent_items, wanted) << "seed " << seed;
    drop_features(record, context());
    EXPECT_EQ(items_.size(), 0U) << "a name without a user is retired";
  }
}

TEST_F(RecordTest, TheCategoryWithTheOldestTimeGoesThenTheFirstName) {
  options_.max_affinities = 2;
  SubjectRecord record;
  act(record, "1", "Socks", kT);
  act(record, "2", "Dress", kT);
  act(record, "3", "Shirt", kT + 1);
  const SubjectFeatures kept = features(record);
  ASSERT_EQ(kept.affinities.size(), 2U);
  EXPECT_EQ(kept.affinities[0].category, "Shirt");
  EXPECT_EQ(kept.affinities[1].category, "Socks");
}

TEST_F(RecordTest, AffinityHalvesWithEachHalfLifeAndIsLeftOutWhenItIsWorthNothing) {
  SubjectRecord record;
  act(record, "1", "Dress", kT, EventType::kPurchase, 5);
  act(record, "2", "", kT);
  const double half_life = options_.affinity_half_life_seconds;
  ASSERT_EQ(features(record).affinities.size(), 1U);
  const DecayedScore score = features(record).affinities[0].score;
  const auto week = static_cast<EpochMs>(half_life) * 1'000;
  EXPECT_NEAR(score.value_at(kT, half_life), 5, 1e-12);
  EXPECT_NEAR(score.value_at(kT + week, half_life), 2.5, 1e-12);
  EXPECT_NEAR(score.value_at(kT + 2 * week, half_life), 1.25, 1e-12);
  EXPECT_TRUE(features(record, kT + 40 * week).affinities.empty());
}

TEST_F(RecordTest, AnyOrderOfTheSameEventsGivesTheSameRecords) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    std::mt19937_64 random(seed);
    std::vector<Event> all(40);
    for (Event& event : all) {
      event.type = static_cast<EventType>(1 + random() % 4);
      event.item_id = std::to_string(random() % 8);
      event.category = "c" + std::to_string(random() % 4);
      event.weight = static_cast<double>(random() % 100) / 10;
      event.received_time_ms = kT + static_cast<EpochMs>(random() % 100'000);
      // From two weeks late to absurdly early.
      event.event_time_ms = event.received_time_ms + static_cast<EpochMs>(random() % 1'300'000'000) - 1'200'000'000;
    }
    SubjectRecord wanted;
    ItemRecord wanted_item;
    for (const Event& event : all) apply_item_event(wanted, event, context());
    for (const Event& event : all) wanted_item.apply(event, options_.global_half_life_seconds);
    std::ranges::shuffle(all, random);
    SubjectRecord record;
    ItemRecord item;
    for (const Event& event : all) apply_item_event(record, event, context());
    for (const Event& event : all) item.apply(event, options_.global_half_life_seconds);

    EXPECT_EQ(record.recent, wanted.recent) << "seed " << seed;
    ASSERT_EQ(record.affinities.size(), wanted.affinities.size());
    for (std::size_t i = 0; i < wanted.affinities.size(); ++i) {
      EXPECT_EQ(record.affinities[i].category, wanted.affinities[i].category);
      EXPECT_EQ(record.affinities[i].score.time_ms, wanted.affinities[i].score.time_ms);
      EXPECT_NEAR(record.affinities[i].score.value, wanted.affinities[i].score.value, 1e-9) << "seed " << seed;
    }
    EXPECT_EQ(item.global().time_ms, wanted_item.global().time_ms);
    EXPECT_NEAR(item.global().value, wanted_item.global().value, 1e-9) << "seed " << seed;
    for (EpochMs now = kT - 1'300'000'000; now < kT + 300'000'000; now += 7'000'000) {
      const auto sums = item.windows(now);
      const auto wanted_sums = wanted_item.windows(now);
      for (std::size_t window = 0; window < kWindowCount; ++window) EXPECT_NEAR(sums[window], wanted_sums[window], 1e-9);
    }
    drop_features(record, context());
    drop_features(wanted, context());
  }
}

TEST_F(RecordTest, AMergeIsWhatOneSubjectWouldHaveHad) {
  SubjectRecord user, session, both;
  act(user, "a", "Dress", kT);
  act(both, "a", "Dress", kT);
  act(user, "b", "Shirt", kT - 7'000'000);
  act(both, "b", "Shirt", kT - 7'000'000);
  act(session, "b", "Shirt", kT + 3'000'000, EventType::kClick, 3);
  act(both, "b", "Shirt", kT + 3'000'000, EventType::kClick, 3);
  act(session, "c", "Socks", kT - 1);
  act(both, "c", "Socks", kT - 1);
  merge_session(user, session, context());
  EXPECT_TRUE(session.empty());
  const SubjectFeatures merged = features(user);
  const SubjectFeatures wanted = features(both);
  EXPECT_EQ(merged.recent_items, wanted.recent_items);
  EXPECT_EQ(merged.last_event_ms, wanted.last_event_ms);
  ASSERT_EQ(merged.affinities.size(), wanted.affinities.size());
  for (std::size_t i = 0; i < wanted.affinities.size(); ++i) {
    EXPECT_EQ(merged.affinities[i].category, wanted.affinities[i].category);
    EXPECT_EQ(merged.affinities[i].score.time_ms, wanted.affinities[i].score.time_ms);
    EXPECT_NEAR(merged.affinities[i].score.value, wanted.affinities[i].score.value, 1e-9);
  }
}

TEST_F(RecordTest, OfTwoWishesTheNewerCountsAndAtOneTimeTheOneNotToBePersonalised) {
  const auto wish = [](bool personalize, EpochMs time_ms) {
    Event event;
    event.type = EventType::kPreferences;
    event.personalize = personalize;
    event.event_time_ms = event.received_time_ms = time_ms;
    return event;
  };
  SubjectRecord record;
  apply_preference(record, wish(false, kT));
  apply_preference(record, wish(true, kT - 1));
  EXPECT_FALSE(record.personalize);
  apply_preference(record, wish(true, kT));
  EXPECT_FALSE(record.personalize);
  apply_preference(record, wish(true, kT + 1));
  EXPECT_TRUE(record.personalize);
  apply_preference(record, wish(false, kT + 1));
  EXPECT_FALSE(record.personalize);
}

TEST_F(RecordTest, SubjectBytesComeBackAsTheyWere) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    SubjectRecord record;
    record.personalize = random() % 2 == 0;
    if (random() % 2 == 0) record.preference_ms = kT + static_cast<EpochMs>(random() % 1'000);
    for (std::uint64_t i = random() % 30; i > 0; --i) {
      act(record, std::to_string(random() % 40), "c" + std::to_string(random() % 9), kT + static_cast<EpochMs>(random() % 100'000'000),
          static_cast<EventType>(1 + random() % 4), static_cast<double>(random() % 7) * 0.3);
    }
    std::string bytes;
    encode(record, bytes);
    SubjectRecord read;
    ASSERT_TRUE(decode(bytes, read));
    EXPECT_EQ(read, record);
    // Any cut is seen; any flipped byte is read as something or refused, never past the end.
    for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(decode(std::string_view(bytes).substr(0, size), read));
    EXPECT_FALSE(decode(bytes + '\0', read));
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(random());
      static_cast<void>(decode(damaged, read));
    }
  }
}

TEST_F(RecordTest, ItemBytesComeBackAsTheyWere) {
  std::mt19937_64 random(8);
  for (int round = 0; round < 200; ++round) {
    ItemRecord record;
    for (std::uint64_t i = 1 + random() % 50; i > 0; --i) {
      Event event;
      event.weight = static_cast<double>(random() % 7) * 0.3;
      event.event_time_ms = event.received_time_ms = kT + static_cast<EpochMs>(random() % 900'000'000);
      record.apply(event, 172'800);
    }
    std::string bytes;
    record.encode(bytes);
    ItemRecord read;
    ASSERT_TRUE(read.decode(bytes));
    EXPECT_EQ(read, record);
    for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(read.decode(std::string_view(bytes).substr(0, size)));
    EXPECT_FALSE(read.decode(bytes + '\0'));
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(random());
      static_cast<void>(read.decode(damaged));
    }
  }
}

TEST(NameTableTest, ACodeIsGivenAgainOnlyWhenNothingRefersToItsNameAndNoneIsHeld) {
  NameTable names;
  const NameCode first = names.acquire("first");
  EXPECT_EQ(names.acquire("first"), first);
  names.release(first);
  EXPECT_EQ(names.name(first), "first");
  names.hold_retired(true);
  names.release(first);
  EXPECT_EQ(names.size(), 0U);
  EXPECT_EQ(names.memory_bytes(), 0U);
  const NameCode second = names.acquire("second");
  EXPECT_NE(second, first);
  EXPECT_EQ(names.name(first), "first") << "kept for the copy being made";
  names.hold_retired(false);
  EXPECT_EQ(names.acquire("third"), first);
  const auto changes = names.take_changes();
  ASSERT_EQ(changes.size(), 4U);
  EXPECT_TRUE(changes[0].created);
  EXPECT_FALSE(changes[1].created);
  EXPECT_TRUE(names.take_changes().empty());
}

TEST(NameTableTest, WhatIsRestoredWithoutReferencesIsRetired) {
  NameTable names;
  EXPECT_TRUE(names.restore(5, "five"));
  EXPECT_TRUE(names.restore(2, "two"));
  EXPECT_FALSE(names.restore(2, "other")) << "the code is taken";
  EXPECT_FALSE(names.restore(3, "two")) << "the name is taken";
  EXPECT_FALSE(names.restore(static_cast<NameCode>(NameTable::kMaxNames), "far"));
  names.add_reference(5);
  names.finish_restore();
  EXPECT_TRUE(names.known(5));
  EXPECT_FALSE(names.known(2));
  EXPECT_EQ(names.size(), 1U);
  const auto changes = names.take_changes();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].code, 2U);
  EXPECT_EQ(names.acquire("new"), 0U) << "the lowest free code";
}

TEST(ByteCodecTest, TextsAndNumbersAreReadBackAndNothingBeyondTheEnd) {
  std::string bytes;
  put_text(bytes, "Dress");
  put_fixed64(bytes, ~std::uint64_t{1});
  put_text(bytes, "");
  ByteReader reader(bytes);
  EXPECT_EQ(reader.text(), "Dress");
  EXPECT_EQ(reader.fixed64(), ~std::uint64_t{1});
  EXPECT_EQ(reader.text(), "");
  EXPECT_TRUE(reader.at_end());
  EXPECT_EQ(reader.fixed64(), 0U);
  EXPECT_FALSE(reader.ok());
  ByteReader cut(std::string_view(bytes).substr(0, 4));
  EXPECT_EQ(cut.text(), "");
  EXPECT_FALSE(cut.ok());
}

}  // namespace
}  // namespace scalestyle::events
