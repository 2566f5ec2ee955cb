#include "search/frequent_queries.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "support/fake_clock.hpp"

namespace scalestyle::search {
namespace {

using std::chrono::hours;
using events::Subject;
using Queries = std::vector<std::string>;

class FrequentQueriesTest : public testing::Test {
 protected:
  static FrequentQueries::Options options() { return {.max_queries = 100, .min_subjects = 3, .min_anonymous = 5, .salt = 7}; }

  static Subject user(int number) { return {events::SubjectKind::kUser, std::to_string(number)}; }

  void ask(const std::string& query, int first, int last) {
    for (int i = first; i <= last; ++i) {
      const Subject subject = user(i);
      queries_.note(query, &subject);
    }
  }
  Queries shown() {
    queries_.refresh([](std::string_view) { return true; }, true);
    return queries_.shown()->queries;
  }

  support::FakeClock clock_;
  FrequentQueries queries_{options(), clock_};
};

TEST(KeptForm, FoldsAndKeepsWhatCanBeShownToOthers) {
  EXPECT_EQ(kept_form("  Summer \t DRESS\n"), "summer dress");
  EXPECT_EQ(kept_form("Crème Brûlée t-shirt"), "creme brulee t-shirt");
  EXPECT_EQ(kept_form("dress under 20"), "dress under 20");
  EXPECT_EQ(kept_form("jeans 31 32"), "jeans 31 32");
  EXPECT_EQ(kept_form("5 pack socks, 10 pack socks, 20 pack"), "5 pack socks, 10 pack socks, 20 pack");
}

TEST(KeptForm, LeavesOutWhatMayTellAPerson) {
  const Queries never{"", " ", "a", "12345", "12 34", "\xF0\x9F\x91\x97", "me@shop.example dress", "me\xEF\xBC\xA0shop", "dress 123456",
                      "call 079 123 45 67", "4111-1111-1111-1111 x", "born 12.03.1985", "(030) 123/45 x", "x \xEF\xBC\x91\xEF\xBC\x92\xEF\xBC\x93\xEF\xBC\x94\xEF\xBC\x95\xEF\xBC\x96",
                      std::string("dr\0ess", 6), "dr\x01" "ess", "\xFF dress", std::string(81, 'x'), std::string(1'000'000, 'x'),
                      "a b c d e f g h i j k l m"};
  for (const std::string& query : never) EXPECT_FALSE(kept_form(query)) << query.substr(0, 100);
  EXPECT_EQ(kept_form(std::string(80, 'x')), std::string(80, 'x'));
}

TEST_F(FrequentQueriesTest, AQueryIsShownOnceEnoughHaveAskedIt) {
  ask("red dress", 1, 2);
  EXPECT_EQ(shown(), Queries{});
  ask("Red  Dress", 1, 2);
  EXPECT_EQ(shown(), Queries{}) << "the same two again";
  ask("RED dress ", 3, 3);
  EXPECT_EQ(shown(), Queries{"red dress"});
  const Subject session{events::SubjectKind::kSession, "1"};
  ask("coat", 1, 2);
  queries_.note("coat", &session);
  EXPECT_EQ(shown(), (Queries{"red dress", "coat"})) << "a session of the same name is somebody else";
}

TEST_F(FrequentQueriesTest, WithoutSubjectsItTakesMore) {
  for (int i = 0; i < 4; ++i) queries_.note("socks", nullptr);
  ask("socks", 1, 2);
  EXPECT_EQ(shown(), Queries{});
  queries_.note("socks", nullptr);
  EXPECT_EQ(shown(), Queries{"socks"});
}

TEST_F(FrequentQueriesTest, ForgettingTakesAwayWhatNobodyElseAsked) {
  ask("mine alone", 1, 1);
  ask("ours", 1, 2);
  ask("everybody's", 1, 3);
  for (int i = 0; i < 2; ++i) queries_.note("also unnamed", nullptr);
  ask("also unnamed", 1, 1);
  EXPECT_EQ(queries_.size(), 4U);
  queries_.forget(user(1));
  EXPECT_EQ(queries_.size(), 3U);
  EXPECT_EQ(shown(), Queries{"everybody's"});
  ask("ours", 3, 3);
  EXPECT_EQ(shown(), Queries{"everybody's"}) << "only two are known to have asked";
  ask("mine alone", 2, 3);
  EXPECT_EQ(shown(), Queries{"everybody's"});
  ask("ours", 1, 1);
  EXPECT_EQ(shown(), (Queries{"ours", "everybody's"})) << "who comes back counts again";
  queries_.forget(user(9));
  EXPECT_EQ(queries_.size(), 4U);
}

TEST_F(FrequentQueriesTest, CountsFadeAndOrder) {
  ask("old", 1, 6);
  ask("steady", 1, 4);
  EXPECT_EQ(shown(), (Queries{"old", "steady"}));
  clock_.advance(hours(24 * 7));
  ask("steady", 1, 2);
  ask("alike", 1, 4);
  EXPECT_EQ(shown(), (Queries{"alike", "steady", "old"})) << "4, 2 + 2, 3: equal counts by text";
  clock_.advance(hours(24 * 7 * 7));
  EXPECT_EQ(shown(), Queries{}) << "4 / 128 is next to nothing";
  EXPECT_EQ(queries_.size(), 0U);
}

TEST_F(FrequentQueriesTest, OnlyWhatCanBeAnsweredIsShown) {
  ask("red dress", 1, 3);
  ask("blue dress", 1, 3);
  queries_.refresh([](std::string_view query) { return query.starts_with("blue"); }, true);
  EXPECT_EQ(queries_.shown()->queries, Queries{"blue dress"});
  EXPECT_EQ(queries_.shown()->completion.complete(retrieval::TypedPrefix::read("dre"), 5), (std::vector<std::uint32_t>{0}));
}

TEST_F(FrequentQueriesTest, IsMadeAnewWhenItChangedAndItIsTime) {
  const auto any = [](std::string_view) { return true; };
  EXPECT_FALSE(queries_.refresh(any));
  ask("red dress", 1, 2);
  EXPECT_FALSE(queries_.refresh(any)) << "nothing to show";
  ask("red dress", 3, 3);
  EXPECT_TRUE(queries_.refresh(any));
  ask("red dress", 4, 4);
  EXPECT_FALSE(queries_.refresh(any)) << "too early";
  clock_.advance(std::chrono::seconds(5));
  EXPECT_TRUE(queries_.refresh(any));
  clock_.advance(std::chrono::seconds(5));
  EXPECT_FALSE(queries_.refresh(any)) << "unchanged";
  clock_.advance(hours(24 * 7 * 8));
  EXPECT_TRUE(queries_.refresh(any)) << "faded";
  EXPECT_TRUE(queries_.shown()->queries.empty());
}

TEST_F(FrequentQueriesTest, MemoryIsBoundedAndWhatIsAskedOftenStays) {
  for (int i = 0; i < 20'000; ++i) {
    const Subject subject = user(i % 50);
    queries_.note("only once " + std::to_string(i), &subject);
    if (i % 50 == 0) queries_.note("red dress", &subject);
    if (i % 50 == 1) queries_.note("red dress", &subject);
    if (i % 50 == 2) queries_.note("red dress", &subject);
    ASSERT_LE(queries_.size(), 100U);
  }
  EXPECT_EQ(shown(), Queries{"red dress"});
}

TEST_F(FrequentQueriesTest, WhatTookAPlaceIsNotRankedByWhatItTookOver) {
  FrequentQueries small({.max_queries = 2, .min_subjects = 2, .rebuild_seconds = 0}, clock_);
  const auto ask_small = [&](const std::string& query, int times) {
    for (int i = 0; i < times; ++i) {
      const Subject subject = user(i % 2);
      small.note(query, &subject);
    }
  };
  ask_small("five", 5);
  ask_small("four", 4);
  ask_small("newer", 3);  // in the place of "four": 7, of which 4 are its predecessor's
  small.refresh([](std::string_view) { return true; }, true);
  EXPECT_EQ(small.shown()->queries, (Queries{"five", "newer"}));
}

TEST_F(FrequentQueriesTest, ThreadsMayNoteForgetAndRead) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 400; ++i) {
        const Subject subject = user(t);
        queries_.note("red dress", &subject);
        queries_.note("query " + std::to_string(i), &subject);
        if (i % 50 == 0) queries_.forget(user(t + 10));
        if (i % 20 == 0) static_cast<void>(queries_.refresh([](std::string_view) { return true; }, true));
        EXPECT_LE(queries_.shown()->queries.size(), 100U);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  ASSERT_FALSE(shown().empty());
  EXPECT_EQ(shown().front(), "red dress");
}

TEST(FrequentQueriesOptions, AreChecked) {
  EXPECT_TRUE(FrequentQueries::Options().validate());
  EXPECT_EQ((FrequentQueries::Options{.max_queries = 0}).validate().error().field, "max_queries");
  EXPECT_EQ((FrequentQueries::Options{.min_subjects = 1}).validate().error().field, "min_subjects");
  EXPECT_EQ((FrequentQueries::Options{.min_anonymous = 1}).validate().error().field, "min_anonymous");
  EXPECT_EQ((FrequentQueries::Options{.half_life_seconds = 0}).validate().error().field, "half_life_seconds");
  EXPECT_EQ((FrequentQueries::Options{.rebuild_seconds = -1}).validate().error().field, "rebuild_seconds");
}

}  // namespace
}  // namespace scalestyle::search
