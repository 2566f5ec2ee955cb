#include "recommend/live_neighbours.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <thread>

#include "support/fake_clock.hpp"
#include "support/feature_events.hpp"

namespace scalestyle::recommend {
namespace {

using namespace std::chrono_literals;
using support::kFeatureNowMs;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr events::EpochMs kMinuteMs = 60'000;
constexpr events::EpochMs kHourMs = 60 * kMinuteMs;

using Found = std::vector<LiveNeighbour>;

class LiveNeighboursTest : public testing::Test {
 protected:
  static events::Event session_event(events::EventType type, const std::string& session, const std::string& item, events::EpochMs time_ms) {
    auto event = support::item_event(type, item, "Dress", time_ms);
    event.session_id = core::SessionId(session);
    return event;
  }
  static events::Event session_click(const std::string& session, const std::string& item, events::EpochMs time_ms = kFeatureNowMs) {
    return session_event(events::EventType::kClick, session, item, time_ms);
  }
  static events::Event purchase(const std::string& user, const std::string& item, events::EpochMs time_ms = kFeatureNowMs) {
    return support::purchase(user, item, "Dress", time_ms);
  }
  std::vector<events::LoggedEvent> logged(const std::vector<events::Event>& list) {
    std::vector<events::LoggedEvent> all;
    for (const auto& event : list) all.push_back({{"log", 0, ++offset_}, event});
    return all;
  }
  void apply(const std::vector<events::Event>& list) { live_.apply(logged(list)); }
  Found of(std::vector<std::string> items) const { return live_.neighbours_of(items); }
  static std::vector<std::string> ids(const Found& found) {
    std::vector<std::string> all;
    for (const auto& one : found) all.push_back(one.item);
    return all;
  }

  support::FakeClock clock_;
  LiveNeighbours live_{clock_};
  std::int64_t offset_ = 0;
};

TEST_F(LiveNeighboursTest, AreWhatOneSessionTouched) {
  apply({session_click("s1", "a"), session_click("s1", "b"), session_click("s2", "c")});
  const double both = 1 / (1 + std::log(2.0)) / (1 + 3);  // one basket each
  auto found = of({"a"});
  ASSERT_THAT(ids(found), ElementsAre("b"));
  EXPECT_NEAR(found[0].score, both, 1e-8);
  EXPECT_THAT(of({"c"}), IsEmpty());
  EXPECT_THAT(of({"nothing"}), IsEmpty());
  EXPECT_THAT(of({}), IsEmpty());
  // Acts weigh; the lesser of the two counts.
  apply({session_event(events::EventType::kAddToCart, "s2", "c", kFeatureNowMs), session_event(events::EventType::kPurchase, "s2", "d", kFeatureNowMs)});
  found = of({"d"});
  ASSERT_THAT(ids(found), ElementsAre("c"));
  EXPECT_NEAR(found[0].score, 3 * both, 1e-8);
  // Items that are asked for together are not told of each other, and what both have adds up.
  apply({session_click("s3", "a"), session_click("s3", "e"), session_click("s4", "d"), session_click("s4", "e")});
  found = of({"a", "d", "a"});
  EXPECT_THAT(ids(found), ElementsAre("c", "e", "b"));
}

TEST_F(LiveNeighboursTest, AreWhatOneUserBoughtOnOneDay) {
  apply({purchase("ann", "a"), purchase("ann", "b"), purchase("ann", "old", kFeatureNowMs - 20 * kHourMs), purchase("bob", "c"),
         support::click("ann", "clicked", "Dress", kFeatureNowMs)});
  EXPECT_THAT(ids(of({"a"})), ElementsAre("b"));
  EXPECT_THAT(of({"old"}), IsEmpty());  // the day before
  EXPECT_THAT(of({"clicked"}), IsEmpty());
}

TEST_F(LiveNeighboursTest, FadeAndGoAfterADay) {
  apply({session_click("s", "a", kFeatureNowMs - kHourMs), session_click("s", "b")});
  const double fresh = of({"a"})[0].score;
  clock_.advance(6h);
  EXPECT_NEAR(of({"a"})[0].score, fresh / 2, 1e-8);
  apply({session_click("s", "c", kFeatureNowMs + 6 * kHourMs)});
  EXPECT_EQ(live_.counts().entries, 3U);
  clock_.advance(17h + 30min);  // "a" is older than a day, "b" is not
  EXPECT_THAT(of({"a"}), IsEmpty());
  EXPECT_THAT(ids(of({"b"})), ElementsAre("c"));
  clock_.advance(24h);
  EXPECT_EQ(live_.counts().entries, 0U);
  EXPECT_EQ(live_.counts().baskets, 0U);
  EXPECT_EQ(live_.counts().items, 0U);
  apply({session_click("late", "a"), session_click("late", "b")});  // two days old when they come
  EXPECT_EQ(live_.counts().entries, 0U);
}

std::vector<events::Event> random_events(std::mt19937& random, int count) {
  std::vector<events::Event> list;
  for (int i = 0; i < count; ++i) {
    const auto type = std::vector{events::EventType::kClick, events::EventType::kAddToCart, events::EventType::kPurchase}[random() % 3];
    auto event = support::item_event(type, "item" + std::to_string(random() % 40), "Dress",
                                     kFeatureNowMs - static_cast<events::EpochMs>(random() % 1'000) * kMinuteMs);
    if (random() % 3 != 0) event.session_id = core::SessionId("s" + std::to_string(random() % 12));
    if (!event.session_id || random() % 2 == 0) event.user_id = core::UserId("u" + std::to_string(random() % 6));
    list.push_back(std::move(event));
  }
  return list;
}

TEST_F(LiveNeighboursTest, TheOrderOfArrivalWithinASessionChangesNoScore) {
  std::vector<events::Event> list;
  for (int i = 0; i < 30; ++i) {  // more than a basket holds, some twice
    list.push_back(session_click("s", "item" + std::to_string(i % 25), kFeatureNowMs - i * kMinuteMs));
  }
  apply(list);
  const std::vector<std::string> asked{"item0", "item7"};
  const Found expected = of(asked);
  EXPECT_EQ(live_.counts().entries, 20U);
  std::mt19937 random(3);
  for (int turn = 0; turn < 20; ++turn) {
    std::ranges::shuffle(list, random);
    LiveNeighbours other(clock_);
    offset_ = 0;
    other.apply(logged(list));
    EXPECT_EQ(other.neighbours_of(asked), expected);
  }
}

TEST_F(LiveNeighboursTest, TheOrderOfArrivalOfManySessionsAndRepetitionsChangeNoScore) {
  std::mt19937 random(9);
  const LiveNeighboursOptions tight{.items_per_basket = 5, .baskets_per_item = 4, .neighbours_per_item = 6};
  for (int turn = 0; turn < 10; ++turn) {
    auto list = random_events(random, 300);
    LiveNeighbours first(clock_, tight);
    first.apply(logged(list));
    std::ranges::shuffle(list, random);
    list.insert(list.end(), list.begin(), list.begin() + 50);
    LiveNeighbours second(clock_, tight);
    const auto all = logged(list);
    second.fill(std::span(all).first(200));
    second.apply(std::span(all).subspan(200));
    for (int item = 0; item < 40; item += 2) {
      const std::vector<std::string> asked{"item" + std::to_string(item), "item" + std::to_string(item + 1)};
      ASSERT_EQ(first.neighbours_of(asked), second.neighbours_of(asked)) << turn << ' ' << item;
    }
  }
}

TEST_F(LiveNeighboursTest, ForgetSubjectsWithAllTheirBaskets) {
  auto logged_in = session_click("s2", "c");
  logged_in.user_id = core::UserId("ann");
  apply({session_click("s1", "a"), session_click("s1", "b"), support::merge("ann", "s1", kFeatureNowMs), logged_in,
         session_click("s2", "d"), purchase("ann", "e"), purchase("ann", "f"), session_click("s3", "a"), session_click("s3", "z")});
  EXPECT_EQ(live_.counts().baskets, 4U);
  const auto before = logged({session_click("s1", "a")});  // to be given late
  apply({support::forget("ann", kFeatureNowMs)});
  EXPECT_EQ(live_.counts().baskets, 1U);
  EXPECT_THAT(ids(of({"a"})), ElementsAre("z"));
  for (const std::string item : {"c", "e"}) EXPECT_THAT(of({item}), IsEmpty());
  auto gone = support::forget("x", kFeatureNowMs);
  gone.user_id.reset();
  gone.session_id = core::SessionId("s3");
  apply({gone});
  EXPECT_EQ(live_.counts().items, 0U);
  // What comes after counts again.
  apply({purchase("ann", "g"), purchase("ann", "h")});
  EXPECT_THAT(ids(of({"g"})), ElementsAre("h"));
}

TEST_F(LiveNeighboursTest, OlderEventsOfForgottenSubjectsArePassedOver) {
  auto in_session = session_click("s2", "c");
  in_session.user_id = core::UserId("ann");
  auto session_gone = support::forget("x", kFeatureNowMs);
  session_gone.user_id.reset();
  session_gone.session_id = core::SessionId("s4");
  const auto older = logged({session_click("s1", "a"), session_click("s1", "b"), support::merge("ann", "s1", kFeatureNowMs), in_session,
                             session_click("s2", "d"), purchase("ann", "e"), purchase("ann", "f"), session_click("s3", "y"),
                             session_click("s3", "z"), session_click("s4", "p"), session_click("s4", "q"), session_gone,
                             support::forget("ann", kFeatureNowMs)});
  live_.apply(std::span(older).last(2));
  apply({purchase("ann", "k"), purchase("ann", "l")});
  live_.fill(older);
  EXPECT_THAT(ids(of({"y"})), ElementsAre("z"));
  EXPECT_THAT(ids(of({"k"})), ElementsAre("l"));  // done after, told before
  for (const std::string item : {"a", "c", "e", "f", "p"}) EXPECT_THAT(of({item}), IsEmpty()) << item;
}

TEST_F(LiveNeighboursTest, WithTooManyForgottenOnesEverythingOlderIsPassedOver) {
  LiveNeighbours live(clock_, {.max_forgotten = 2});
  const auto older = logged({session_click("s", "a"), session_click("s", "b")});
  live.apply(logged({support::forget("u1", kFeatureNowMs), support::forget("u2", kFeatureNowMs), support::forget("u3", kFeatureNowMs)}));
  live.fill(older);
  EXPECT_EQ(live.counts().entries, 0U);
}

TEST_F(LiveNeighboursTest, KeepTheirLimitsOldestFirst) {
  LiveNeighbours live(clock_, {.max_baskets = 3, .max_entries = 5, .items_per_basket = 2});
  std::vector<events::Event> list;
  for (int i = 0; i < 10; ++i) {
    for (int item = 0; item < 4; ++item) {
      list.push_back(session_click("s" + std::to_string(i), "i" + std::to_string(i) + std::to_string(item),
                                   kFeatureNowMs - (10 - i) * kMinuteMs + item));
    }
  }
  for (const auto& event : list) {
    live.apply(logged({event}));
    const auto counts = live.counts();
    ASSERT_LE(counts.baskets, 3U);
    ASSERT_LE(counts.entries, 5U);
    ASSERT_LE(counts.items, 5U);
  }
  EXPECT_EQ(live.neighbours_of(std::vector<std::string>{"i93"}).size(), 1U);
  EXPECT_EQ(live.neighbours_of(std::vector<std::string>{"i83"}).size(), 1U);
  EXPECT_THAT(live.neighbours_of(std::vector<std::string>{"i63"}), IsEmpty());
  // Many questions and many neighbours: only so many are answered.
  LiveNeighbours wide(clock_, {.items_per_basket = 100, .neighbours_per_item = 7});
  std::vector<std::string> asked;
  for (int i = 0; i < 90; ++i) {
    wide.apply(logged({session_click("s", "n" + std::to_string(i))}));
    asked.push_back("n" + std::to_string(i));
  }
  EXPECT_EQ(wide.neighbours_of(std::span(asked).first(1)).size(), 7U);
  EXPECT_LE(wide.neighbours_of(asked).size(), LiveNeighbours::kMaxItems * 7);
}

TEST_F(LiveNeighboursTest, TakeAnyEvent) {
  events::Event anonymous = session_click("s", "a");
  anonymous.session_id.reset();
  events::Event no_item = session_click("s", "");
  events::Event no_weight = session_click("s", "a");
  no_weight.weight = std::nan("");
  events::Event heavy = session_click("s", "b");
  heavy.weight = 1e300;
  events::Event preferences = support::feature_event(events::EventType::kPreferences, kFeatureNowMs);
  preferences.user_id = core::UserId("u");
  apply({anonymous, no_item, no_weight, heavy, preferences, session_click("s", "c", kFeatureNowMs + 1'000 * kHourMs)});
  ASSERT_THAT(ids(of({"b"})), ElementsAre("c"));
  EXPECT_LT(of({"b"})[0].score, 100);
}

TEST_F(LiveNeighboursTest, OptionsHaveLimits) {
  const auto field_of = [](const LiveNeighboursOptions& options) {
    const auto valid = options.validate();
    return valid ? std::string() : valid.error().field;
  };
  EXPECT_EQ(field_of({}), "");
  EXPECT_EQ(field_of({.max_baskets = 0}), "max_baskets");
  EXPECT_EQ(field_of({.max_entries = 1}), "max_entries");
  EXPECT_EQ(field_of({.items_per_basket = 101}), "items_per_basket");
  EXPECT_EQ(field_of({.baskets_per_item = 0}), "baskets_per_item");
  EXPECT_EQ(field_of({.neighbours_per_item = 0}), "neighbours_per_item");
  EXPECT_EQ(field_of({.max_forgotten = 0}), "max_forgotten");
  EXPECT_EQ(field_of({.half_life_hours = std::nan("")}), "half_life_hours");
  EXPECT_EQ(field_of({.shrinkage = -1}), "shrinkage");
}

TEST_F(LiveNeighboursTest, MayBeReadWhileEventsCome) {
  std::mt19937 random(2);
  const auto all = logged(random_events(random, 3'000));
  std::thread reader([this] {
    const std::vector<std::string> asked{"item1", "item2", "item3"};
    for (int i = 0; i < 200; ++i) {
      const Found found = live_.neighbours_of(asked);
      for (const auto& one : found) ASSERT_GT(one.score, 0);
    }
  });
  std::thread filler([&] { live_.fill(std::span(all).first(1'500)); });
  for (std::size_t i = 1'500; i < all.size(); i += 10) live_.apply(std::span(all).subspan(i, 10));
  reader.join();
  filler.join();
  EXPECT_EQ(live_.counts().items, 40U);
}

}  // namespace
}  // namespace scalestyle::recommend
